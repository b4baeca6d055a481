#include <stdio.h>
#include "weft.h"

/** What models read of it. Several tools are a list of such objects. */
WEFT_EXPORT(describe) uint64_t describe(void) {
  return weft_return(weft_text(
      "{\"name\": \"NAME\","
      " \"description\": \"Says how long a text is.\","
      " \"input_schema\": {"
      "   \"type\": \"object\","
      "   \"properties\": {\"text\": {\"type\": \"string\", \"description\": \"Any text.\"}},"
      "   \"required\": [\"text\"],"
      "   \"additionalProperties\": false}}"));
}

WEFT_EXPORT(handle_tool_call) uint64_t handle_tool_call(const char *at, size_t length) {
  weft_text_t input = weft_get((weft_text_t){at, length}, "input");
  weft_text_t text = weft_string(weft_get(input, "text"));
  if (text.length == 0) return weft_fail("The text is empty.");
  weft_out_t out = {0};
  char count[32];
  snprintf(count, sizeof count, "\" has %zu bytes.", text.length);
  weft_puts(&out, "\"");
  weft_put(&out, text.at, text.length);
  weft_puts(&out, count);
  return weft_done((weft_text_t){out.at, out.length});
}
