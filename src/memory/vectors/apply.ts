/** Takes places over from SQLite into the files. */
import type { Database } from "bun:sqlite"
import type { Log } from "../../base/log.ts"
import { fromPlace, rowAt, toPlace, type VectorRow } from "../../store/vectors.ts"
import { type Collection, leaveFiles } from "./collection.ts"
import { unlinkSlots } from "./graph.ts"
import { type Image, toFloats, toImage } from "./image.ts"
import { clearSlot, digestSlots, type Part, writeSlot } from "./part.ts"

/** The places are of this set. What they were before is gone from files and graph when it returns. */
export function applyPlaces(collection: Collection, db: Database, places: Iterable<number>, log: Log): void {
  const { graph, main, cold, shape } = collection
  const slots = { main: new Set<number>(), cold: new Set<number>() }
  for (const place of places) {
    const at = fromPlace(place)
    slots[at.cold ? "cold" : "main"].add(at.slot)
  }
  unlinkSlots(shape.kernel, graph, main, shape.dim, [...slots.main])
  for (const slot of slots.main) applySlot(collection, main, slot, db, log)
  for (const slot of slots.cold) applySlot(collection, cold, slot, db, log)
  collection.version++
}

function applySlot(collection: Collection, part: Part, slot: number, db: Database, log: Log): void {
  const { kernel } = collection.shape
  // What is made anew comes to it later.
  if (collection.work === "rebuilding" && slot >= part.trusted) return
  const { checked } = collection
  const is_checked = checked !== undefined && slot < checked.slots[part.cold ? 1 : 0]
  const digest = () => (is_checked ? digestSlots(kernel, part, slot, slot + 1, 0n) : 0n)
  const before = digest()
  const row = rowAt(db, toPlace(collection.id, part.cold, slot))
  if (row) writeRow(collection, part, slot, imageOf(collection, row, slot), log)
  else clearSlot(part, slot)
  if (checked) checked.sum += digest() - before
}

export const imageOf = ({ shape }: Collection, row: VectorRow, slot: number): Image =>
  toImage(shape, row, toFloats(row.vector), slot, row.tier)

/** On a full disk it goes on in memory. */
export function writeRow(collection: Collection, part: Part, slot: number, image: Image, log: Log): void {
  try {
    writeSlot(part, slot, image)
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown) || collection.kept_in === "memory") throw thrown
    leaveFiles(collection, thrown, log)
    writeSlot(part, slot, image)
  }
}
