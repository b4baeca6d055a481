/**
 * The adapter of a platform that does not exist, for trying channels out and for tests. Its messages are
 * `{text, from, chat?, team?, guild?, account?, image?, reply_url?}`. An answer goes back as `{chat, text}`: in the reply
 * to the request, or to `reply_url` where there is one. `{challenge}` is said back at once; what a bot wrote
 * (`bot: true`), and events without text or image, are left alone.
 */
import { Json, Kind, readText, writeText } from "../sdk/weft"

export { weft_alloc } from "../sdk/weft"

export function describe(): u64 {
  return writeText(`{ "name": "mock-channel", "type": "channel_adapter", "channel": "mock" }`)
}

export function parse_incoming(pointer: usize, length: i32): u64 {
  const event = Json.parse(readText(pointer, length))
  if (event.kind != Kind.Object) throw new Error("the request's body is no JSON object")
  if (event.get("challenge").exists) {
    const respond = new Json(Kind.Object)
      .set("status", 200)
      .set("content_type", "text/plain")
      .set("body", event.get("challenge").text())
    return new Json(Kind.Object).set("respond", respond).write()
  }
  const text = event.get("text").text()
  const image = event.get("image").text()
  if (event.get("bot").bool() || (text == "" && image == "")) {
    return new Json(Kind.Object).set("ignore", true).write()
  }
  return toMessage(event, text, image).write()
}

function toMessage(event: Json, text: string, image: string): Json {
  const from = event.get("from").text("somebody")
  const chat = event.get("chat").text(from)
  const reply = new Json(Kind.Object).set("chat", chat)
  if (event.get("reply_url").exists) reply.set("url", event.get("reply_url").text())
  const message = new Json(Kind.Object).set("peer", chat).set("reply", reply)
  const places = ["account", "guild", "team"]
  for (let i = 0; i < places.length; i++) {
    if (event.get(places[i]).exists) message.set(places[i], event.get(places[i]).text())
  }
  if (image == "") return message.set("content", text)
  const parts = new Json(Kind.List)
  if (text != "") parts.add(new Json(Kind.Object).set("type", "text").set("text", text))
  parts.add(new Json(Kind.Object).set("type", "image").set("mime", "image/png").set("data", image))
  return message.set("content", parts)
}

export function format_outgoing(pointer: usize, length: i32): u64 {
  const answer = Json.parse(readText(pointer, length))
  const reply = answer.get("reply")
  const message = new Json(Kind.Object)
    .set("chat", reply.get("chat").text())
    .set("text", answer.get("content").text())
  const url = reply.get("url").text()
  if (url == "") return message.write()
  return new Json(Kind.Object).set("url", url).set("method", "POST").set("body", message).write()
}
