/** Which rows of a part a filter lets through. */

import { type Filter, row_bytes } from "../../kernel/vectors/kernel.ts"
import type { MemoryKind } from "../../store/memory.ts"
import type { Store } from "../../store/open.ts"
import { fromPlace, placesOf, type VectorRow } from "../../store/vectors.ts"
import type { Collection } from "./collection.ts"
import { kindNumber, millis_at } from "./image.ts"
import { type Part, record_words, wordsOfRecords } from "./part.ts"
import type { VectorFilter } from "./set.ts"

/** A bit for each slot, and how many are set. */
export type Allowed = { bits: Uint8Array; count: number }

const all_kinds = 0xffff_ffff
const seconds_max = 0xffff_ffff

/** `slots` from the beginning of the part are looked at; the bitmap may have room for more. */
export function allowedIn(
  collection: Collection,
  db: Store["db"],
  part: Part,
  slots: number,
  room: number,
  filter: VectorFilter,
): Allowed {
  const bits = new Uint8Array(Math.ceil(Math.max(slots, room) / 64) * 8)
  const { after_ms, before_ms, memory_ids } = filter
  let count = collection.shape.kernel.filter(part.files[0]!.region, slots, toKernelFilter(filter), bits)
  if (after_ms !== undefined || before_ms !== undefined) count -= dropByMillis(part, bits, filter)
  if (memory_ids === undefined) return { bits, count }
  const chosen = new Uint8Array(bits.length)
  count = 0
  for (const { place } of placesOf(db, collection.id, memory_ids)) {
    const { cold, slot } = fromPlace(place)
    if (cold !== part.cold || slot >= slots || (bits[slot >> 3]! & (1 << (slot & 7))) === 0) continue
    chosen[slot >> 3]! |= 1 << (slot & 7)
    count++
  }
  return { bits: chosen, count }
}

function toKernelFilter({ owner_ids, session_id, kinds, after_ms, before_ms }: VectorFilter): Filter {
  const owners = new Uint8Array((Math.max(0, ...owner_ids) >> 3) + 1)
  for (const id of owner_ids) owners[id >> 3]! |= 1 << (id & 7)
  const seconds = (ms: number) => Math.min(seconds_max, Math.max(0, ms))
  return {
    owners,
    session: session_id ?? 0,
    kinds: kinds ? kindBits(kinds) : all_kinds,
    after_s: seconds(Math.floor((after_ms ?? 0) / 1000)),
    before_s: seconds(Math.ceil((before_ms ?? Number.POSITIVE_INFINITY) / 1000)),
  }
}

const kindBits = (kinds: readonly MemoryKind[]): number =>
  kinds.reduce((bits, kind) => bits | (1 << kindNumber(kind)), 0) >>> 0

/** The kernel counts in seconds. Of the seconds in which the filter begins and ends, some rows are outside of it. */
function dropByMillis(part: Part, bits: Uint8Array, { after_ms, before_ms }: VectorFilter): number {
  const edges = [after_ms, before_ms].filter((ms) => ms !== undefined && ms % 1000 !== 0)
  if (edges.length === 0) return 0
  const seconds = new Set(edges.map((ms) => Math.floor(ms! / 1000)))
  const words = wordsOfRecords(part)
  const { bytes } = part.files[0]!.region
  let dropped = 0
  for (let slot = 0; slot < bits.length * 8; slot++) {
    if ((bits[slot >> 3]! & (1 << (slot & 7))) === 0) continue
    const created_s = words[slot * record_words + 3]!
    if (!seconds.has(created_s)) continue
    const at = slot * row_bytes + millis_at
    const created_ms = created_s * 1000 + bytes[at]! + bytes[at + 1]! * 256
    if (isWithin(created_ms, after_ms, before_ms)) continue
    bits[slot >> 3]! &= ~(1 << (slot & 7))
    dropped++
  }
  return dropped
}

const isWithin = (ms: number, after_ms = 0, before_ms = Number.POSITIVE_INFINITY): boolean =>
  after_ms <= ms && ms < before_ms

/** The same for a row that comes from SQLite. */
export function toTest(filter: VectorFilter): (row: VectorRow) => boolean {
  const owners = new Set(filter.owner_ids)
  const kinds = filter.kinds && new Set(filter.kinds)
  const ids = filter.memory_ids && new Set(filter.memory_ids)
  const { session_id, after_ms, before_ms } = filter
  return (row) =>
    owners.has(row.owner_id) &&
    (session_id === undefined || row.session_id === session_id) &&
    (kinds === undefined || kinds.has(row.kind)) &&
    (ids === undefined || ids.has(row.memory_id)) &&
    isWithin(row.created_ms, after_ms, before_ms)
}
