/** Counts, converts, compares and searches text. Pure: it asks for nothing, and the same input has the same answer. */
import { Call, done, failed, readCall, writeText } from "../sdk/weft"
import { convertCase } from "./cases"
import { count } from "./count"
import { diff } from "./diff"
import { match, replace } from "./search"
import { tools } from "./tools"

export { weft_alloc } from "../sdk/weft"

/** What grows faster than its input takes less of it, so that a call stays within its time and memory. */
const length_max = 1000000

export function describe(): u64 {
  return writeText(tools)
}

export function handle_tool_call(pointer: usize, length: i32): u64 {
  const call = readCall(pointer, length)
  const texts = ["text", "before", "after"]
  for (let i = 0; i < texts.length; i++) {
    const given = call.input.get(texts[i]).text()
    if (given.length > length_max) return failed(`"${texts[i]}" has more than ${length_max} characters.`)
  }
  return answer(call)
}

function answer(call: Call): u64 {
  const input = call.input
  const text = input.get("text").text()
  if (call.name == "count") return done(count(text).toString())
  if (call.name == "convert_case") {
    const converted = convertCase(text, input.get("to").text())
    return converted === null ? failed("There is no such case; see the tool's description.") : done(converted)
  }
  if (call.name == "diff") {
    const context = Math.max(0, Math.min(100, input.get("context").number(3))) as i32
    return done(diff(input.get("before").text(), input.get("after").text(), context))
  }
  if (call.name == "match") return match(input, text)
  if (call.name == "replace") return replace(input, text)
  return failed("There is no such tool.")
}
