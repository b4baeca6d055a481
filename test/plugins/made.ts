/** Plugins made for a test: what they say of themselves, what they answer, and what they do before that. */
import { wat } from "./wat.ts"

export type Made = {
  /** What `describe` returns: JSON of this, or the text itself. */
  description?: unknown
  /** What `handle_tool_call` or `format_outgoing` returns. */
  answer?: unknown
  /** What `parse_incoming` returns; makes it an adapter. */
  incoming?: unknown
  /** Instructions before the answer, and before the description. */
  first?: string
  describing?: string
  /** The argument of `http_fetch` for `fetching`. */
  request?: unknown
}

/** Calls `http_fetch` with the request and waits for it. */
export const fetching =
  "(drop (call $http_fetch (i32.const 32768) (global.get $request))) (call $take_result (i32.const 131072))"

export const looping = "(loop $for_ever (br $for_ever))"

export const describes = (name: string, more: object = {}) => ({
  name,
  description: `What ${name} does.`,
  input_schema: { type: "object", properties: {} },
  ...more,
})

export function make({
  description,
  answer,
  incoming,
  first = "",
  describing = "",
  request,
}: Made = {}): Uint8Array {
  const said = textOf(description ?? describes("echo"))
  const answered = textOf(answer ?? { content: "one", is_error: false })
  const parsed = textOf(incoming ?? {})
  const asked = textOf(request ?? {})
  const exported =
    incoming === undefined
      ? `(func (export "handle_tool_call") (param i32 i32) (result i64) ${first} ${returned(16_384, answered)})`
      : `(func (export "parse_incoming") (param i32 i32) (result i64) ${first} ${returned(24_576, parsed)})
         (func (export "format_outgoing") (param i32 i32) (result i64) ${returned(16_384, answered)})`
  return wat(`(module
    (import "weft" "http_fetch" (func $http_fetch (param i32 i32) (result i32)))
    (import "weft" "take_result" (func $take_result (param i32)))
    (memory (export "memory") 8)
    (global $request i32 (i32.const ${Buffer.byteLength(asked)}))
    (data (i32.const 1024) "${escaped(said)}")
    (data (i32.const 16384) "${escaped(answered)}")
    (data (i32.const 24576) "${escaped(parsed)}")
    (data (i32.const 32768) "${escaped(asked)}")
    (func (export "weft_alloc") (param i32) (result i32) (i32.const 65536))
    (func (export "describe") (param i32 i32) (result i64) ${describing} ${returned(1024, said)})
    ${exported})`)
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

const returned = (pointer: number, text: string): string =>
  `(i64.const ${(BigInt(pointer) << 32n) | BigInt(Buffer.byteLength(text))})`

const escaped = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")
