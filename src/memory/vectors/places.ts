/** Gives places out, within a commit: by what SQLite has then, as a commit may be undone and run again. */

import { assert } from "../../base/errors.ts"
import type { Store } from "../../store/open.ts"
import { addVector, isTaken, memoryWithout, slotsOf, toPlace } from "../../store/vectors.ts"
import type { Collection } from "./collection.ts"
import { bytesOf, digestImage, fitTier, isFiniteVector, toImage } from "./image.ts"
import { findFree, idAt, type Part } from "./part.ts"
import type { NewVector } from "./set.ts"

/** The next free slot at each call; free ones of the files first. */
export function openSlots(db: Store["db"], { id }: Collection, part: Part): () => number {
  const free = part.trusted === Number.POSITIVE_INFINITY ? findFree(part) : []
  while (free.length > 0 && idAt(part, free.at(-1)!) !== 0) free.pop()
  const isFree = (slot: number) => idAt(part, slot) === 0 && !isTaken(db, toPlace(id, part.cold, slot))
  let index = free.length
  let end: number | undefined
  return () => {
    while (index > 0) {
      const slot = free[--index]!
      if (isFree(slot)) return slot
    }
    end ??= Math.max(part.slots, slotsOf(db, id, part.cold))
    return end++
  }
}

export function addVectors(db: Store["db"], collection: Collection, rows: readonly NewVector[]): number {
  const { id, main, shape } = collection
  const nextSlot = openSlots(db, collection, main)
  let count = 0
  for (const { memory_id, vector } of rows) {
    assert(isFiniteVector(vector), "a vector has neither NaN nor infinities")
    const memory = memoryWithout(db, id, memory_id)
    if (!memory) continue
    const [slot, bytes] = [nextSlot(), bytesOf(vector)]
    const tier = fitTier(shape, slot, 0)
    const digest = digestImage(shape.kernel, toImage(shape, memory, bytes, slot, tier), slot, tier)
    addVector(db, { place: toPlace(id, false, slot), memory_id, tier, digest, vector: bytes })
    count++
  }
  return count
}
