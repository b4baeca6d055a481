/** Says what it is told: the smallest plugin that does something. */
import { done, failed, readCall, writeText } from "../sdk/weft"

export { weft_alloc } from "../sdk/weft"

export function describe(): u64 {
  return writeText(`{
    "name": "echo",
    "description": "Returns the text that it is given.",
    "input_schema": {
      "type": "object",
      "properties": { "text": { "type": "string", "description": "What to say." } },
      "required": ["text"],
      "additionalProperties": false
    }
  }`)
}

export function handle_tool_call(pointer: usize, length: i32): u64 {
  const text = readCall(pointer, length).input.get("text")
  return text.exists ? done(text.text()) : failed("There is no text.")
}
