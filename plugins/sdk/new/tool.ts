import { done, failed, readCall, writeText } from "./weft"

export { weft_alloc } from "./weft"

/** What models read of it. Several tools are a list of such objects. */
export function describe(): u64 {
  return writeText(`{
    "name": "NAME",
    "description": "Says how long a text is.",
    "input_schema": {
      "type": "object",
      "properties": { "text": { "type": "string", "description": "Any text." } },
      "required": ["text"],
      "additionalProperties": false
    }
  }`)
}

export function handle_tool_call(pointer: usize, length: i32): u64 {
  const call = readCall(pointer, length)
  const text = call.input.get("text").text()
  if (text == "") return failed("The text is empty.")
  return done(`"${text}" has ${text.length} characters.`)
}
