#include "weft.h"

/** Which platform it speaks for. */
WEFT_EXPORT(describe) uint64_t describe(void) {
  return weft_return(weft_text("{\"name\": \"NAME\", \"type\": \"channel_adapter\", \"channel\": \"NAME\"}"));
}

static uint64_t finish(weft_out_t out) { return weft_return((weft_text_t){out.at, out.length}); }

/** From the platform's request to a message. What is none for an agent is {"ignore": true}. */
WEFT_EXPORT(parse_incoming) uint64_t parse_incoming(const char *at, size_t length) {
  weft_text_t event = {at, length};
  weft_text_t text = weft_string(weft_get(event, "text"));
  weft_text_t from = weft_string(weft_get(event, "from"));
  if (text.length == 0) return weft_return(weft_text("{\"ignore\": true}"));
  if (from.length == 0) from = weft_text("somebody");
  weft_out_t out = {0};
  weft_puts(&out, "{\"content\":");
  weft_put_json(&out, text);
  weft_puts(&out, ",\"peer\":");
  weft_put_json(&out, from);
  weft_puts(&out, ",\"reply\":{\"to\":");
  weft_put_json(&out, from);
  weft_puts(&out, "}}");
  return finish(out);
}

/** From {content, reply?} to what the platform gets: bytes, or a request {url, method?, headers?, body} to send. */
WEFT_EXPORT(format_outgoing) uint64_t format_outgoing(const char *at, size_t length) {
  weft_text_t answer = {at, length};
  weft_text_t reply = weft_get(answer, "reply");
  weft_out_t out = {0};
  weft_puts(&out, "{\"to\":");
  weft_put_json(&out, weft_string(weft_get(reply, "to")));
  weft_puts(&out, ",\"text\":");
  weft_put_json(&out, weft_string(weft_get(answer, "content")));
  weft_puts(&out, "}");
  return finish(out);
}
