import { Json, Kind, readText, writeText } from "./weft"

export { weft_alloc } from "./weft"

/** Which platform it speaks for. */
export function describe(): u64 {
  return writeText(`{ "name": "NAME", "type": "channel_adapter", "channel": "NAME" }`)
}

/** From the platform's request to a message. What is none for an agent is `{ignore: true}`. */
export function parse_incoming(pointer: usize, length: i32): u64 {
  const event = Json.parse(readText(pointer, length))
  const text = event.get("text").text()
  if (text == "") return new Json(Kind.Object).set("ignore", true).write()
  return new Json(Kind.Object)
    .set("content", text)
    .set("peer", event.get("from").text("somebody"))
    .set("reply", new Json(Kind.Object).set("to", event.get("from").text()))
    .write()
}

/** From `{content, reply?}` to what the platform gets: bytes, or a request `{url, method?, headers?, body}` to send. */
export function format_outgoing(pointer: usize, length: i32): u64 {
  const answer = Json.parse(readText(pointer, length))
  return new Json(Kind.Object)
    .set("to", answer.get("reply").get("to").text())
    .set("text", answer.get("content").text())
    .write()
}
