/** Whether the files are what SQLite says, and making them anew from it. Searching goes on all the while. */
import type { Log } from "../../base/log.ts"
import type { Store } from "../../store/open.ts"
import { correctSet, fromPlace, getSet, moveVector, rowsFrom, type VectorRow } from "../../store/vectors.ts"
import { imageOf, writeRow } from "./apply.ts"
import { breathe, type Pace } from "./background.ts"
import { type Collection, leaveFiles } from "./collection.ts"
import { dropGraph } from "./graph.ts"
import { digestImage, toDigest } from "./image.ts"
import { countSlots, digestSlots, dropPart, keepInMemory, mapPart, type Part, wipeFree } from "./part.ts"

export type Rebuilding = { store: Store; log: Log; pace: Pace; settle(): boolean }

/** Reading a row from a file costs so much less than reading it from SQLite. */
const slots_for_row = 16

/** For a set that was not closed cleanly: from here on the files are right. */
export async function recover(
  collection: Collection,
  context: Rebuilding,
  signal: AbortSignal,
): Promise<void> {
  const { log } = context
  if (collection.work === "checking") {
    const { agrees } = await compare(collection, context, signal)
    if (agrees) {
      for (const part of [collection.main, collection.cold]) part.trusted = Number.POSITIVE_INFINITY
      collection.version++
      collection.work = "none"
      return
    }
    collection.rebuilt_because = "the files are not what the database says"
  }
  log.info("The files of the vectors are made anew.", {
    set: collection.id,
    because: collection.rebuilt_because,
  })
  await rebuild(collection, context, signal)
}

/** From nothing. */
export async function rebuild(
  collection: Collection,
  context: Rebuilding,
  signal: AbortSignal,
): Promise<void> {
  const { main, cold } = collection
  collection.work = "rebuilding"
  collection.progress = 0
  collection.rebuilds++
  dropGraph(collection.graph)
  emptyFiles(collection, context.log)
  collection.version++
  for (const part of [main, cold]) await fill(collection, part, context, signal)
  collection.work = "checking"
  const { agrees, digest_by, rows_by } = await compare(collection, context, signal)
  if (!agrees) {
    context.log.error("The digest of the vectors was not that of their rows; it was corrected.", {
      set: collection.id,
    })
    await context.store.commit((db) => correctSet(db, collection.id, digest_by, rows_by))
  }
  collection.work = "none"
}

function emptyFiles(collection: Collection, log: Log): void {
  const { main, cold, shape } = collection
  const parts = [main, cold]
  for (const part of parts) dropPart(part, true)
  try {
    if (collection.kept_in === "files") {
      for (const part of parts) mapPart(shape.kernel, part, collection.folder)
      return
    }
  } catch (thrown) {
    leaveFiles(collection, thrown, log)
    return
  }
  for (const part of parts) keepInMemory(shape.kernel, part)
}

async function fill(
  collection: Collection,
  part: Part,
  { store, log, pace, settle }: Rebuilding,
  signal: AbortSignal,
): Promise<void> {
  const total = Math.max(1, getSet(store.db, collection.id)?.rows ?? 0)
  for (let slot = 0, begun = performance.now(); ; ) {
    // Whatever changed below the slot that was reached is taken over first, so that this is one moment of SQLite.
    while (settle()) await breathe(signal)
    const rows = rowsFrom(store.db, collection.id, part.cold, slot, pace.rows_at_once)
    const wrong: { row: VectorRow; digest: bigint }[] = []
    for (const row of rows) {
      slot = fromPlace(row.place).slot
      const image = imageOf(collection, row, slot)
      writeRow(collection, part, slot, image, log)
      const digest = digestImage(collection.shape.kernel, image, slot, row.tier)
      if (digest !== row.digest) wrong.push({ row, digest })
    }
    part.trusted = rows.length < pace.rows_at_once ? Number.POSITIVE_INFINITY : ++slot
    collection.version++
    const { hot, warm } = collection.main.counts
    collection.progress = Math.min(1, (hot + warm + collection.cold.counts.cold) / total)
    if (wrong.length > 0) await correct(store, wrong)
    if (part.trusted === Number.POSITIVE_INFINITY) return
    if (performance.now() - begun < pace.slice_ms) continue
    await breathe(signal)
    begun = performance.now()
  }
}

/** Digests that an older version made otherwise. */
const correct = (store: Store, wrong: { row: VectorRow; digest: bigint }[]): Promise<void> =>
  store.commit((db) => {
    for (const { row, digest } of wrong)
      moveVector(db, row.place, { place: row.place, memory_id: row.memory_id, tier: row.tier, digest })
  })

export type Comparison = { agrees: boolean; digest_by: bigint; rows_by: number }

/** The digest of all files against that in SQLite; wipes what is in free slots. Undisturbed by what changes meanwhile. */
export async function compare(
  collection: Collection,
  { store, pace, settle }: Pick<Rebuilding, "store" | "pace" | "settle">,
  signal: AbortSignal,
): Promise<Comparison> {
  const { main, cold, shape } = collection
  const checked: Collection["checked"] = { slots: [0, 0], sum: 0n }
  collection.checked = checked
  try {
    for (const [i, part] of [main, cold].entries()) {
      for (let begun = performance.now(); checked.slots[i]! < part.slots; ) {
        const from = checked.slots[i]!
        const to = Math.min(part.slots, from + pace.rows_at_once * slots_for_row)
        wipeFree(part, from, to)
        checked.sum = digestSlots(shape.kernel, part, from, to, BigInt.asUintN(64, checked.sum))
        checked.slots[i] = to
        collection.progress = to / part.slots
        if (performance.now() - begun < pace.slice_ms) continue
        await breathe(signal)
        begun = performance.now()
      }
    }
    while (settle()) await breathe(signal)
    for (const [i, part] of [main, cold].entries()) {
      // Rows that came while it was busy elsewhere.
      const sum = BigInt.asUintN(64, checked.sum)
      checked.sum = digestSlots(shape.kernel, part, checked.slots[i]!, part.slots, sum)
      countSlots(part)
    }
  } finally {
    collection.checked = undefined
  }
  const row = getSet(store.db, collection.id)
  const digest_by = toDigest(checked.sum) - (row?.digest ?? 0n)
  const rows_by = main.counts.hot + main.counts.warm + cold.counts.cold - (row?.rows ?? 0)
  return { agrees: digest_by === 0n && rows_by === 0, digest_by, rows_by }
}
