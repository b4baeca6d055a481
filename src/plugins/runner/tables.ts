import { cursorOf, readByte, readU32, skipBytes } from "../wasm/cursor.ts"

const header_bytes = 8
const table_section = 4
const has_maximum = 1
/** What the engine holds for an entry, measured; it leaves this out when it decides whether to collect. */
const entry_bytes = 72

/** What the tables of an instance may take. The module has been compiled, and prepared, so that all have a maximum. */
export function tableBytesOf(module: Uint8Array): number {
  const cursor = cursorOf(module, "the module")
  skipBytes(cursor, header_bytes)
  while (cursor.offset < cursor.end) {
    const section = readByte(cursor)
    const bytes = readU32(cursor)
    if (section !== table_section) {
      skipBytes(cursor, bytes)
      continue
    }
    let entries = 0
    for (let left = readU32(cursor); left > 0; left--) {
      readByte(cursor)
      const flags = readByte(cursor)
      const initial = readU32(cursor)
      entries += (flags & has_maximum) !== 0 ? readU32(cursor) : initial
    }
    return entries * entry_bytes
  }
  return 0
}
