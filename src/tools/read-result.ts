import { Type } from "@sinclair/typebox"
import { cutText } from "./text.ts"
import { defineTool } from "./tool.ts"

/** In characters, which are up to three bytes each as UTF-8: a page stays below what the loop cuts a result at. */
const page_bytes_max = 61_440
const page_length_max = 60_000

export const readResult = defineTool({
  name: "read_result",
  description: "Read more of a tool's result that was cut.",
  effect: "none",
  deferred: true,
  params: Type.Object(
    {
      handle: Type.String({ description: "As the cut result says." }),
      offset: Type.Optional(Type.Integer({ description: "Characters to skip." })),
      limit: Type.Optional(Type.Integer({ description: "Most characters." })),
    },
    { additionalProperties: false },
  ),
  run({ handle, ...range }, { findResult }) {
    const offset = Math.max(0, range.offset ?? 0)
    const limit = range.limit ?? page_length_max
    const whole = findResult(handle)
    if (whole === undefined) {
      throw new Error("There is no result of this handle in this session; it may have been removed since.")
    }
    if (offset >= whole.length && offset > 0) {
      throw new Error(`The result has only ${whole.length} characters, so none at offset=${offset}.`)
    }
    // A page does not begin with half of a character.
    const start = isLowSurrogate(whole, offset) ? offset - 1 : offset
    const text = cutToBytes(cutText(whole.slice(start), Math.max(2, Math.min(limit, page_length_max))))
    const end = start + text.length
    const next = end < whole.length ? `; next: offset=${end}` : ""
    return `[characters ${start}-${end} of ${whole.length}${next}]\n${text}`
  },
})

const isLowSurrogate = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return at > 0 && code >= 0xdc00 && code < 0xe000
}

function cutToBytes(text: string): string {
  let cut = text
  while (Buffer.byteLength(cut) > page_bytes_max) {
    cut = cutText(cut, Math.floor((cut.length * page_bytes_max) / Buffer.byteLength(cut)) - 1)
  }
  return cut
}
