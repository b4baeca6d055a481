/** The memory and the tables, with the cap written into them: the engine then holds every growth to it. */
import { type Cursor, ModuleRefused, readByte, readCount, readU32, toLeb } from "./cursor.ts"
import { isReferenceType } from "./types.ts"

/** Of all tables together, when it starts; each may grow to it. 65,536 entries are 512 KiB. */
export const table_entries_max = 65_536
const tables_max = 16

const [has_maximum, shared, wide] = [1, 2, 4]

/** The memory section, rewritten. */
export function capMemory(cursor: Cursor, pages_max: number): number[] {
  const count = readU32(cursor)
  if (count > 1) throw new ModuleRefused("it has more than one memory; build it with one")
  if (count === 0) return [0]
  return [1, ...capLimits(cursor, pages_max, "memory", "pages of 64 KiB")]
}

/** The table section, rewritten. */
export function capTables(cursor: Cursor): number[] {
  const count = readCount(cursor, tables_max, "tables")
  const written = [count]
  let entries = 0
  for (let index = 0; index < count; index++) {
    const type = readByte(cursor)
    if (!isReferenceType(type)) {
      throw new ModuleRefused(
        "a table holds something else than funcref or externref; build it without typed references",
      )
    }
    const limits = capLimits(cursor, table_entries_max, "table", "entries", (initial) => {
      entries += initial
    })
    written.push(type, ...limits)
  }
  if (entries > table_entries_max) {
    throw new ModuleRefused(
      `its tables start with ${entries} entries; at most ${table_entries_max} are taken`,
    )
  }
  return written
}

function capLimits(
  cursor: Cursor,
  cap: number,
  noun: "memory" | "table",
  unit: string,
  note: (initial: number) => void = () => undefined,
): number[] {
  const flags = readByte(cursor)
  if (flags & wide) throw new ModuleRefused(`its ${noun} has 64-bit addresses; build it for wasm32`)
  if (flags & shared)
    throw new ModuleRefused(`its ${noun} is shared between threads; build it without threads`)
  if (flags > has_maximum) throw new ModuleRefused(`its ${noun} is of a kind that is not known (${flags})`)
  const initial = readU32(cursor)
  const maximum = flags & has_maximum ? readU32(cursor) : cap
  if (initial > cap) {
    const remedy =
      noun === "memory" ? "; raise memory_pages_max in its manifest or build it with a smaller stack" : ""
    throw new ModuleRefused(`its ${noun} starts with ${initial} ${unit}, but may have ${cap}${remedy}`)
  }
  if (maximum < initial) {
    throw new ModuleRefused(
      `its ${noun} starts with ${initial} ${unit}, more than its own maximum of ${maximum}`,
    )
  }
  note(initial)
  return [has_maximum, ...toLeb(initial), ...toLeb(Math.min(maximum, cap))]
}
