/**
 * Goes over instructions without judging them, which is the compiler's, so that those of features that plugins do not
 * have are refused by name: exceptions (whose catch_all needs no tag and would catch what the host throws), threads,
 * typed references and garbage collection, several memories. What is not known is refused.
 */
import { type Cursor, ModuleRefused, readByte, readU32, skipBytes, skipLeb } from "./cursor.ts"
import { isReferenceType, isValueType, readValueType } from "./types.ts"

/** Of one function, parameters aside, as JavaScriptCore has it. */
const locals_max = 50_000

/** The code section: locals and instructions of each function. Its count is held to `functions`. */
export function checkCode(cursor: Cursor, functions: number): void {
  const count = readU32(cursor)
  if (count !== functions) {
    throw new ModuleRefused(
      `it declares ${functions} functions and has the code of ${count}; the file is damaged`,
    )
  }
  for (let position = 0; position < count; position++) {
    const size = readU32(cursor)
    const start = cursor.offset
    skipBytes(cursor, size)
    checkFunction({ bytes: cursor.bytes, offset: start, end: start + size, where: "the code section" })
  }
}

function checkFunction(cursor: Cursor): void {
  let locals = 0
  for (let groups = readU32(cursor); groups > 0; groups--) {
    locals += readU32(cursor)
    readValueType(cursor)
    if (locals > locals_max) {
      throw new ModuleRefused(`a function has more than ${locals_max} local variables`)
    }
  }
  skipExpression(cursor)
  if (cursor.offset !== cursor.end) {
    throw new ModuleRefused("the code of a function goes on after its end; the file is damaged")
  }
}

/** Up to the `end` that closes what no `block`, `loop` or `if` within has opened. */
export function skipExpression(cursor: Cursor): void {
  for (let depth = 1; depth > 0; ) {
    const opcode = readByte(cursor)
    const skip = following[opcode]
    if (!skip) throw refused(opcode)
    skip(cursor)
    if (opcode === opcode_end) depth--
    else if (skip === blockType) depth++
  }
}

/** Goes over what follows an opcode. */
type Skip = (cursor: Cursor) => void

const nothing: Skip = () => undefined
const index: Skip = (cursor) => skipLeb(cursor)
const wideNumber: Skip = (cursor) => skipLeb(cursor, 10)
const twoIndices: Skip = (cursor) => {
  skipLeb(cursor)
  skipLeb(cursor)
}
/** One label more than its count: the default. Each is at least a byte, so that the function's end bounds them. */
const labels: Skip = (cursor) => {
  for (let left = readU32(cursor); left >= 0; left--) skipLeb(cursor)
}
const valueTypes: Skip = (cursor) => {
  for (let left = readU32(cursor); left > 0; left--) readValueType(cursor)
}
const referenceType: Skip = (cursor) => {
  if (!isReferenceType(readByte(cursor))) throw refused(0xd0)
}
const bytes =
  (count: number): Skip =>
  (cursor) =>
    skipBytes(cursor, count)

/** Alignment and offset. From 64 on the first says that the number of another memory comes between. */
const memoryArgument: Skip = (cursor) => {
  if (readU32(cursor) >= 64) throw severalMemories()
  skipLeb(cursor)
}
const firstMemory: Skip = (cursor) => {
  if (readU32(cursor) !== 0) throw severalMemories()
}
const severalMemories = () => new ModuleRefused("its code uses more than one memory; build it with one")

/** Nothing, a value, or the index of a type, which is written as a signed number that is not negative. */
const blockType: Skip = (cursor) => {
  const first = readByte(cursor)
  if (first === 0x40 || isValueType(first)) return
  if (first >= 0x80) skipLeb(cursor, 4)
  else if (first > 0x40) throw refused(0xfb)
}

/** Saturating conversions, and what copies, fills, grows and drops memory and tables. */
const bulk: Skip = (cursor) => {
  const opcode = readU32(cursor)
  const skip = bulk_following[opcode]
  if (!skip) throw refused(0xfc, opcode)
  skip(cursor)
}
const bulk_following: Skip[] = [
  ...Array.from({ length: 8 }, () => nothing),
  (cursor) => {
    skipLeb(cursor) // memory.init
    firstMemory(cursor)
  },
  index, // data.drop
  (cursor) => {
    firstMemory(cursor) // memory.copy
    firstMemory(cursor)
  },
  firstMemory, // memory.fill
  twoIndices, // table.init
  index, // elem.drop
  twoIndices, // table.copy
  index, // table.grow
  index, // table.size
  index, // table.fill
]

/** The last opcode of relaxed SIMD. */
const vector_opcode_max = 0x113

const vectors: Skip = (cursor) => {
  const opcode = readU32(cursor)
  if (opcode > vector_opcode_max) throw refused(0xfd, opcode)
  if (opcode <= 11 || (opcode >= 84 && opcode <= 93)) memoryArgument(cursor)
  if (opcode === 12 || opcode === 13) skipBytes(cursor, 16) // v128.const, i8x16.shuffle
  const has_lane = (opcode >= 21 && opcode <= 34) || (opcode >= 84 && opcode <= 91)
  if (has_lane) skipBytes(cursor, 1)
}

const opcode_end = 0x0b

/** By opcode; what is not here is not taken. */
const following: (Skip | undefined)[] = Array.from({ length: 256 }, () => undefined)
const put = (skip: Skip, from: number, to = from) => following.fill(skip, from, to + 1)
put(nothing, 0x00, 0x01) // unreachable, nop
put(blockType, 0x02, 0x04) // block, loop, if
put(nothing, 0x05) // else
put(nothing, opcode_end)
put(index, 0x0c, 0x0d) // br, br_if
put(labels, 0x0e) // br_table
put(nothing, 0x0f) // return
put(index, 0x10) // call
put(twoIndices, 0x11) // call_indirect
put(index, 0x12) // return_call
put(twoIndices, 0x13) // return_call_indirect
put(nothing, 0x1a, 0x1b) // drop, select
put(valueTypes, 0x1c) // select of a type
put(index, 0x20, 0x26) // local, global and table, get and set
put(memoryArgument, 0x28, 0x3e)
put(firstMemory, 0x3f, 0x40) // memory.size, memory.grow
put(index, 0x41) // i32.const
put(wideNumber, 0x42) // i64.const
put(bytes(4), 0x43) // f32.const
put(bytes(8), 0x44) // f64.const
put(nothing, 0x45, 0xc4) // numbers
put(referenceType, 0xd0) // ref.null
put(nothing, 0xd1) // ref.is_null
put(index, 0xd2) // ref.func
put(bulk, 0xfc)
put(vectors, 0xfd)

function refused(opcode: number, second?: number): ModuleRefused {
  const shown = `0x${opcode.toString(16)}${second === undefined ? "" : ` ${second}`}`
  return new ModuleRefused(`its code ${reasonFor(opcode)} (instruction ${shown})`)
}

function reasonFor(opcode: number): string {
  if ((opcode >= 0x06 && opcode <= 0x0a) || [0x18, 0x19, 0x1f].includes(opcode)) {
    return "handles exceptions; build it without them (-fno-exceptions; in Rust panic = abort)"
  }
  if (opcode === 0xfe) return "uses atomic operations; build it without threads"
  if ([0x14, 0x15, 0xd0, 0xd3, 0xd4, 0xd5, 0xd6, 0xfb].includes(opcode)) {
    return "uses typed references or garbage collection; build it without"
  }
  return "uses a feature that is not known"
}
