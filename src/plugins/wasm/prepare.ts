import { assert } from "../../base/errors.ts"
import type { Engine } from "../module.ts"
import {
  type Cursor,
  cursorOf,
  ModuleRefused,
  readByte,
  readBytes,
  readCount,
  readU32,
  skipLeb,
  toLeb,
} from "./cursor.ts"
import { checkExports, type Export, readExports } from "./exports.ts"
import { readImports } from "./imports.ts"
import { checkCode, skipExpression } from "./instructions.ts"
import { capMemory, capTables } from "./limits.ts"
import { readTypes, readValueType, type Signature } from "./types.ts"

export { ModuleRefused }

export const module_bytes_max = 4 * 1_048_576

export type PrepareOptions = {
  engine: Engine
  /** Unset where only `describe` will tell; then the exports of either kind will do. */
  kind?: "tool" | "channel"
  /** Of linear memory, in pages of 64 KiB; 1 to 16,384. */
  memory_pages_max: number
}

/** The sections by the number that stands before them, in the order in which they have to come. */
const sections = new Map([
  [1, "type"],
  [2, "import"],
  [3, "function"],
  [4, "table"],
  [5, "memory"],
  [6, "global"],
  [7, "export"],
  [8, "start"],
  [9, "element"],
  [12, "data count"],
  [10, "code"],
  [11, "data"],
])
const order = [...sections.keys()]
const [custom, tag] = [0, 13]

/** Names, debugging, who made it; no toolchain writes fifty of them. */
const customs_max = 1000
const functions_max = 50_000
const globals_max = 10_000
const segments_max = 10_000

type Reading = PrepareOptions & {
  types: Signature[]
  /** The type of each function, imported ones first. */
  functions: number[]
  imported: number
  memories: number
  /** Whether there was a code section. */
  code: boolean
  exports: Map<string, Export>
}

/**
 * What a module must be before anything compiles it: this goes over its sections and instructions, in linear time and
 * without holding more than its own size, and gives it back without its custom sections and with the caps written into
 * its memory and its tables. Everything else is as it was, and is the engine's to validate. Throws ModuleRefused.
 */
export function prepare(bytes: Uint8Array, options: PrepareOptions): Uint8Array<ArrayBuffer> {
  const { memory_pages_max: pages } = options
  assert(Number.isInteger(pages) && pages >= 1 && pages <= 16_384, "a memory has 1 to 16,384 pages")
  checkHeader(bytes)
  const reading: Reading = {
    ...options,
    types: [],
    functions: [],
    imported: 0,
    memories: 0,
    code: false,
    exports: new Map(),
  }
  const written: Uint8Array[] = [bytes.subarray(0, 8)]
  const file = cursorOf(bytes, "the module", 8, bytes.length)
  let last = -1
  let customs = 0
  while (file.offset < file.end) {
    const id = readByte(file)
    const body = readBytes(file, readU32(file))
    if (id === custom) {
      customs++
      if (customs > customs_max) {
        throw new ModuleRefused(`it has more than ${customs_max} custom sections; strip it`)
      }
      continue
    }
    const place = placeOf(id)
    if (place <= last) {
      const how = place === last ? "twice" : "in the wrong place"
      throw new ModuleRefused(`it has the ${sections.get(id)} section ${how}; the file is damaged`)
    }
    last = place
    const kept = readSection(id, body, reading)
    written.push(Uint8Array.from([id, ...toLeb(kept.length)]), kept)
  }
  if (!reading.code && reading.functions.length > reading.imported) {
    throw new ModuleRefused("it declares functions and has no code; the file is damaged")
  }
  checkExports(reading.exports, reading.memories, options.engine, options.kind)
  return new Uint8Array(Buffer.concat(written))
}

function checkHeader(bytes: Uint8Array): void {
  if (bytes.length > module_bytes_max) {
    throw new ModuleRefused(
      `it has ${bytes.length} bytes; at most ${module_bytes_max} are taken, so build it for size and strip it`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length < 8 || view.getUint32(0, false) !== 0x0061736d) {
    throw new ModuleRefused("it is not a WebAssembly module: it does not begin with \\0asm")
  }
  const [version, layer] = [view.getUint16(4, true), view.getUint16(6, true)]
  if (layer === 1) {
    throw new ModuleRefused(
      "it is a component; build a core module for WASI preview 1 (wasm32-wasip1), as the component model is not taken",
    )
  }
  if (version !== 1 || layer !== 0) {
    throw new ModuleRefused(`it is of version ${version} of the binary format; only version 1 is known`)
  }
}

/** Where a section stands in the order. */
function placeOf(id: number): number {
  if (id === tag) throw new ModuleRefused("it has exception tags; build it without exceptions")
  const place = order.indexOf(id)
  if (place === -1) throw new ModuleRefused(`it has a section that is not known (${id}); the file is damaged`)
  return place
}

/** What is written for a section. It has been gone over to its end, where it is not the engine alone that looks at it. */
function readSection(id: number, body: Uint8Array, reading: Reading): Uint8Array {
  const cursor = cursorOf(body, `the ${sections.get(id)} section`)
  const kept = readers[id]!(cursor, reading)
  if (cursor.offset !== cursor.end) {
    throw new ModuleRefused(`${cursor.where} has bytes after its end; the file is damaged`)
  }
  return kept ? Uint8Array.from(kept) : body
}

/** Each goes over its section and answers what is written in its stead, or nothing to keep it. */
const readers: Record<number, (cursor: Cursor, reading: Reading) => number[] | undefined> = {
  1(cursor, reading) {
    reading.types = readTypes(cursor)
    return undefined
  },
  2(cursor, reading) {
    reading.functions = readImports(cursor, reading.types, reading.engine)
    reading.imported = reading.functions.length
    return undefined
  },
  3(cursor, reading) {
    const count = readCount(cursor, functions_max, "functions")
    for (let index = 0; index < count; index++) reading.functions.push(readU32(cursor))
    return undefined
  },
  4: (cursor) => capTables(cursor),
  5(cursor, reading) {
    const written = capMemory(cursor, reading.memory_pages_max)
    reading.memories = written[0]!
    return written
  },
  6(cursor) {
    for (let left = readCount(cursor, globals_max, "globals"); left > 0; left--) {
      readValueType(cursor)
      readByte(cursor)
      skipExpression(cursor)
    }
    return undefined
  },
  7(cursor, reading) {
    reading.exports = readExports(cursor, (index) => reading.types[reading.functions[index] ?? -1])
    return undefined
  },
  8(cursor) {
    skipLeb(cursor)
    return undefined
  },
  9(cursor) {
    readCount(cursor, segments_max, "element segments")
    return leaveToEngine(cursor)
  },
  12(cursor) {
    skipLeb(cursor)
    return undefined
  },
  10(cursor, reading) {
    reading.code = true
    checkCode(cursor, reading.functions.length - reading.imported)
    return undefined
  },
  11(cursor) {
    readCount(cursor, segments_max, "data segments")
    return leaveToEngine(cursor)
  },
}

function leaveToEngine(cursor: Cursor): undefined {
  cursor.offset = cursor.end
  return undefined
}
