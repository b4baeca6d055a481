/** Which rows are hot, warm and cold: by when they were last used, each use counting as a day more. */
import { row_bytes } from "../../kernel/vectors/kernel.ts"
import type { Store } from "../../store/open.ts"
import {
  fromPlace,
  listUses,
  moveVector,
  placesOf,
  rowsAt,
  rowsFrom,
  setMean,
  type Tier,
  toPlace,
} from "../../store/vectors.ts"
import { breathe, type Pace } from "./background.ts"
import { type Collection, isTrusted } from "./collection.ts"
import { bytesOf, digestImage, fitTier, toFloats, toImage } from "./image.ts"
import { openSlots } from "./places.ts"

export type TierSettings = {
  hot_rows_max: number
  warm_rows_max: number
  warm_after_days: number
  cold_after_days: number
  /** With no more rows than that all of them are hot, however old. */
  all_hot_rows: number
}

export type Tending = { store: Store; pace: Pace; settle(): boolean; tiers: TierSettings; now_ms(): number }

type Rows = { places: number[]; ids: number[]; hours: number[]; tiers: Tier[] }

/** So that it is not looked at for every few rows. */
const overfull_rows_min = 64
const mean_rows = 2048
const hour_s = 3600

/** Whether hot rows are so many more than may be that it should be looked at before the usual time. */
export const isOverfull = (
  { main, cold }: Collection,
  { hot_rows_max, all_hot_rows }: TierSettings,
): boolean => {
  const { hot, warm } = main.counts
  return (
    hot + warm + cold.counts.cold > all_hot_rows && hot > hot_rows_max + hot_rows_max / 20 + overfull_rows_min
  )
}

export async function tendTiers(
  collection: Collection,
  context: Tending,
  signal: AbortSignal,
): Promise<void> {
  const { main, cold } = collection
  const { all_hot_rows } = context.tiers
  const total = main.counts.hot + main.counts.warm + cold.counts.cold
  if (!isTrusted(collection) || (total <= all_hot_rows && main.counts.hot === total)) return
  const rows = await readRows(collection, context, signal)
  const wanted = chooseTiers(rows, context.tiers, Math.floor(context.now_ms() / 1000))
  const moves = [...rows.places.keys()].filter((i) => rows.tiers[i] !== wanted[i])
  if (moves.length === 0) return
  const at_once = Math.ceil(context.pace.rows_at_once / 2)
  collection.work = "moving"
  try {
    for (let done = 0; done < moves.length; done += at_once) {
      collection.progress = done / moves.length
      await breathe(signal)
      while (collection.waiting > 0) await breathe(signal)
      if (!isTrusted(collection)) return
      const these = moves.slice(done, done + at_once)
      if (these.some((i) => wanted[i] === 2)) await takeMean(collection, context.store)
      await context.store.commit((db) => {
        for (const i of these) move(db, collection, rows.places[i]!, rows.ids[i]!, wanted[i]!)
      })
      while (context.settle()) await breathe(signal)
    }
  } finally {
    if (collection.work === "moving") collection.work = "none"
  }
}

async function readRows(
  collection: Collection,
  { store: { db }, pace }: Tending,
  signal: AbortSignal,
): Promise<Rows> {
  const rows: Rows = { places: [], ids: [], hours: [], tiers: [] }
  for (let after = 0, begun = performance.now(); ; ) {
    const uses = listUses(db, after, pace.rows_at_once)
    const used = new Map(uses.map(({ id, used_s }) => [id, used_s]))
    for (const { memory_id, place } of placesOf(db, collection.id, [...used.keys()])) {
      rows.places.push(place)
      rows.ids.push(memory_id)
      rows.hours.push(Math.floor(used.get(memory_id)! / hour_s))
      rows.tiers.push(tierOf(collection, place))
    }
    const last = uses.at(-1)
    if (!last) return rows
    after = last.id
    if (performance.now() - begun < pace.slice_ms) continue
    await breathe(signal)
    begun = performance.now()
  }
}

function tierOf({ main }: Collection, place: number): Tier {
  const { cold, slot } = fromPlace(place)
  return cold ? 2 : (main.files[0]!.region.bytes[slot * row_bytes + 21] as Tier)
}

/** The latest used are hot, the next warm, as far as there is room and they are not too old. Exported for the tests. */
export function chooseTiers(
  rows: Pick<Rows, "hours" | "tiers">,
  settings: TierSettings,
  now_s: number,
): Tier[] {
  const { hours, tiers } = rows
  if (hours.length <= settings.all_hot_rows) return hours.map(() => 0)
  const { hot_rows_max, warm_rows_max } = settings
  const hot = edgeOf(hours, hot_rows_max)
  const warm = edgeOf(hours, hot_rows_max + warm_rows_max)
  const oldest = (days: number) => Math.floor(now_s / hour_s) - days * 24
  const [hot_after, warm_after] = [oldest(settings.warm_after_days), oldest(settings.cold_after_days)]
  const wanted = new Array<Tier>(hours.length)
  // Of those at the edge, the newest stay that are there already: what was not used is not moved to and fro.
  for (let i = hours.length - 1; i >= 0; i--) {
    const [hour, tier] = [hours[i]!, tiers[i]!]
    const is_hot = hour > hot.hour || (hour === hot.hour && tier === 0 && hot.room-- > 0)
    const is_warm = hour > warm.hour || (hour === warm.hour && tier <= 1 && warm.room-- > 0)
    wanted[i] = is_hot && hour >= hot_after ? 0 : (is_hot || is_warm) && hour >= warm_after ? 1 : 2
  }
  return wanted
}

/** All of the hours after it have room, and of its own so many. */
function edgeOf(hours: readonly number[], rows_max: number): { hour: number; room: number } {
  const counts = new Map<number, number>()
  for (const hour of hours) counts.set(hour, (counts.get(hour) ?? 0) + 1)
  let room = rows_max
  for (const [hour, count] of [...counts].sort(([a], [b]) => b - a)) {
    if (count > room) return { hour, room }
    room -= count
  }
  return { hour: -1, room: 0 }
}

/** Where it still is what it was. */
function move(db: Store["db"], collection: Collection, from: number, memory_id: number, wanted: Tier): void {
  const [row] = rowsAt(db, [from])
  if (row?.memory_id !== memory_id) return
  const { id, main, cold, shape } = collection
  const was = fromPlace(from)
  const to_cold = wanted === 2
  const slot = was.cold === to_cold ? was.slot : openSlots(db, collection, to_cold ? cold : main)()
  const tier = fitTier(shape, slot, wanted)
  if (tier === row.tier) return
  const image = toImage(shape, row, row.vector, slot, tier)
  const digest = digestImage(shape.kernel, image, slot, tier)
  moveVector(db, from, { place: toPlace(id, to_cold, slot), memory_id, tier, digest })
}

/** Of a sample of the vectors, once in a set's life: bits of different means cannot be compared. */
async function takeMean({ id, shape }: Collection, store: Store): Promise<void> {
  if (shape.mean) return
  const mean = new Float32Array(shape.dim)
  const rows = rowsFrom(store.db, id, false, 0, mean_rows)
  for (const { vector } of rows)
    for (const [d, value] of toFloats(vector).entries()) mean[d]! += value / rows.length
  await store.commit((db) => setMean(db, id, bytesOf(mean)))
  shape.mean = mean
}
