/** Takes places over from SQLite into the files. */

import type { Log } from "../../base/log.ts"
import type { Store } from "../../store/open.ts"
import { fromPlace, rowsAt, type VectorRow } from "../../store/vectors.ts"
import { type Collection, leaveFiles } from "./collection.ts"
import { unlinkSlots } from "./graph.ts"
import { type Image, toImage } from "./image.ts"
import { clearSlot, digestSlots, type Part, writeSlot } from "./part.ts"

/**
 * The places are of this set. What they were before is gone from the files when it returns, and from the graph or the
 * graph is not searched. With more than `unlinked_max` nodes since all was settled last it is not.
 */
export function applyPlaces(
  collection: Collection,
  db: Store["db"],
  places: readonly number[],
  unlinked_max: number,
  log: Log,
): void {
  const { graph, main, shape } = collection
  const slots = places.map(fromPlace).flatMap(({ cold, slot }) => (cold ? [] : [slot]))
  unlinkSlots(shape.kernel, graph, main, shape.dim, slots, unlinked_max)
  const rows = new Map(rowsAt(db, places).map((row) => [row.place, row]))
  for (const place of places) applySlot(collection, place, rows.get(place), log)
  collection.version++
}

function applySlot(collection: Collection, place: number, row: VectorRow | undefined, log: Log): void {
  const { checked, main, shape } = collection
  const { cold, slot } = fromPlace(place)
  const part = cold ? collection.cold : main
  // What is made anew comes to it later.
  if (collection.work === "rebuilding" && slot >= part.trusted) return
  const is_checked = checked !== undefined && slot < checked.slots[cold ? 1 : 0]
  const digest = () => (is_checked ? digestSlots(shape.kernel, part, slot, slot + 1, 0n) : 0n)
  const before = digest()
  if (row) writeRow(collection, part, slot, imageOf(collection, row, slot), log)
  else clearSlot(part, slot)
  if (checked) checked.sum += digest() - before
}

export const imageOf = ({ shape }: Collection, row: VectorRow, slot: number): Image =>
  toImage(shape, row, row.vector, slot, row.tier)

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
