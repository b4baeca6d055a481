import { type Cursor, ModuleRefused, readByte, readCount } from "./cursor.ts"

/** A function's type as text, a letter a value: "ii:I" takes two i32 and returns an i64. */
export type Signature = string

/** Numbers, vectors, and the two references that are no structure of a collected heap. */
const letters = new Map([
  [0x7f, "i"],
  [0x7e, "I"],
  [0x7d, "f"],
  [0x7c, "F"],
  [0x7b, "v"],
  [0x70, "r"],
  [0x6f, "x"],
])
const [function_type, funcref, externref] = [0x60, 0x70, 0x6f]

/** Of the letters, by byte; 0 where there is none. */
const codes = new Uint8Array(256)
for (const [byte, letter] of letters) codes[byte] = letter.charCodeAt(0)

export const isValueType = (byte: number): boolean => codes[byte] !== 0
export const isReferenceType = (byte: number): boolean => byte === funcref || byte === externref

const types_max = 20_000
/** Of one function; JavaScriptCore takes a thousand. */
const values_max = 1000

/** The type section. Says which feature it is that a plugin cannot have. */
export function readTypes(cursor: Cursor): Signature[] {
  const count = readCount(cursor, types_max, "types")
  const types: Signature[] = []
  for (let index = 0; index < count; index++) {
    if (readByte(cursor) !== function_type) {
      throw new ModuleRefused(
        `type ${index} is not a function's; build it without garbage-collected types (structs and arrays)`,
      )
    }
    const parameters = readValues(cursor, index)
    types.push(`${parameters}:${readValues(cursor, index)}`)
  }
  return types
}

/** A text that was put together letter by letter would take thirty times as much memory. */
function readValues(cursor: Cursor, type: number): string {
  const count = readCount(cursor, values_max, `values in type ${type}`)
  const signature = Buffer.allocUnsafe(count)
  for (let index = 0; index < count; index++) signature[index] = readValueType(cursor)
  return signature.toString("latin1")
}

/** The code of its letter. */
export function readValueType(cursor: Cursor): number {
  const code = codes[readByte(cursor)]!
  if (code !== 0) return code
  throw new ModuleRefused(
    `${cursor.where} uses a reference that is neither funcref nor externref; build it without typed references, ` +
      "exception references and garbage collection",
  )
}

const names: Record<string, string> = {
  i: "i32",
  I: "i64",
  f: "f32",
  F: "f64",
  v: "v128",
  r: "funcref",
  x: "externref",
}

/** A signature as the text form of a module writes it: "(i32, i32) -> i64". */
export function shownSignature(signature: Signature): string {
  const [parameters, results] = signature.split(":").map((part) => {
    const values = [...part].map((letter) => names[letter])
    return values.length > 12 ? `${values.slice(0, 12).join(", ")}, …` : values.join(", ")
  })
  return `(${parameters}) -> ${results === "" ? "()" : results}`
}
