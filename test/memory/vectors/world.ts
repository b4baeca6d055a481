/** A store with rows of memory, and a plain list that says what a search must find. */
import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openLog } from "../../../src/base/log.ts"
import type { VectorKernel } from "../../../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../../../src/kernel/vectors/load.ts"
import { openVectors, type VectorsOptions } from "../../../src/memory/vectors/open.ts"
import type { VectorFilter, VectorHits, Vectors } from "../../../src/memory/vectors/set.ts"
import {
  addMemory,
  type MemoryKind,
  memory_kinds,
  removeMemories,
  takeOwner,
} from "../../../src/store/memory.ts"
import { openStore } from "../../../src/store/open.ts"
import { touchSession } from "../../../src/store/sessions.ts"

export const dim = 20

export type ModelRow = {
  id: number
  owner_id: number
  session_id: number | null
  kind: MemoryKind
  created_ms: number
  vector: Float32Array
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** The same numbers for the same seed, from -1 to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1
  }
}

export function vectorOf(seed: number, length = dim): Float32Array {
  const next = random(seed + 1)
  const vector = Float32Array.from({ length }, next)
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

export const toSettings = { index: "exact", hot_rows_max: 1000, warm_rows_max: 1000 } as const
const days = { warm_after_days: 90, cold_after_days: 365 }

export type WorldOptions = Partial<Omit<VectorsOptions, "settings">> & {
  settings?: Partial<VectorsOptions["settings"]>
}

export const first_ms = 1_800_000_000_000

/** In the 400 days before. */
export const createdOf = (seed: number): number => first_ms - ((seed * 7_919_777) % (400 * 86_400_000))

export async function openWorld(options: WorldOptions = {}) {
  const home = mkdtempSync(join(tmpdir(), "weft-vectors-"))
  const store = openStore(join(home, "weft.db"))
  const kernel: VectorKernel = options.kernel ?? loadVectorKernel()
  const lines: string[] = []
  const rows = new Map<number, ModelRow>()
  const open = () =>
    openVectors({
      store,
      kernel,
      folder: join(home, "vectors"),
      now_ms: () => first_ms,
      log: openLog("warn", (line) => lines.push(line)),
      ...options,
      settings: { ...toSettings, ...days, ...options.settings },
    })
  let vectors: Vectors = open()
  const set = await vectors.use("test:1", dim)
  const { owners, sessions } = await store.commit((db) => ({
    owners: ["a", "b", "c"].map((agent) => takeOwner(db, { agent, sender: "", namespace: "" })),
    sessions: ["a", "b"].map((peer) => {
      const parts = { agent: "a", channel: "c", account: "d", peer }
      return touchSession(db, `s:${peer}`, parts, first_ms).id
    }),
  }))
  const world = {
    home,
    store,
    kernel,
    lines,
    rows,
    owners,
    sessions,
    set_id: set.id,
    folder: join(home, "vectors", `${set.id}`),
    get vectors() {
      return vectors
    },
    /** Rows of which every second is of owner 0, with a vector each. */
    async add(seeds: readonly number[]): Promise<number[]> {
      const added: ModelRow[] = await store.commit((db) =>
        seeds.map((seed) => {
          const row = {
            owner_id: owners[seed % 2 === 0 ? 0 : 1 + (seed % 3 > 0 ? 1 : 0)]!,
            session_id: [null, ...sessions][seed % 3]!,
            kind: memory_kinds[seed % 5]!,
            created_ms: createdOf(seed),
          }
          const id = addMemory(db, {
            ...row,
            message_id: null,
            text: `row ${seed}`,
            hash: new Uint8Array(16),
            importance: 0.5,
            source: "user",
            tags: [],
            words: "",
          })
          return { ...row, id, vector: vectorOf(seed) }
        }),
      )
      const vectors_added = added.map(({ id, vector }) => ({ memory_id: id, vector }))
      await store.commit((db) => vectors.add(db, set.id, vectors_added))
      for (const row of added) rows.set(row.id, row)
      return added.map(({ id }) => id)
    },
    async remove(ids: readonly number[]) {
      await store.commit((db) => removeMemories(db, ids))
      for (const id of ids) rows.delete(id)
    },
    search: (
      vector: Float32Array,
      filter: VectorFilter = { owner_ids: owners },
      k = 10,
    ): Promise<VectorHits> => vectors.search({ set_id: set.id, vector, filter, k }),
    /**
     * "unclean": the files are what they were in the middle of whatever went on; SQLite has what was committed. "killed":
     * what was committed last was not taken over.
     */
    async reopen(how: "clean" | "unclean" | "killed", between: () => unknown = () => undefined) {
      const [files, kept] = [join(home, "vectors"), join(home, "kept")]
      if (how === "killed") {
        await vectors.idle()
        forgotten.push(vectors)
      } else {
        if (how === "unclean") cpSync(files, kept, { recursive: true })
        await vectors[Symbol.asyncDispose]()
        if (how === "unclean") {
          rmSync(files, { recursive: true })
          renameSync(kept, files)
        }
      }
      await between()
      vectors = open()
    },
    async [Symbol.asyncDispose]() {
      await vectors[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(home, { recursive: true, force: true })
    },
  }
  /** Held, as what is collected may be unmapped. */
  const forgotten: Vectors[] = []
  return world
}

/** Ids, best first. */
export const expected = (
  rows: ReadonlyMap<number, ModelRow>,
  vector: Float32Array,
  filter: VectorFilter,
  k = 10,
): number[] =>
  [...rows.values()]
    .filter((row) => isAllowed(row, filter))
    .map(({ id, vector: own }) => ({ id, score: dot(own, vector) }))
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .slice(0, k)
    .map(({ id }) => id)

const isAllowed = (row: ModelRow, filter: VectorFilter): boolean =>
  filter.owner_ids.includes(row.owner_id) &&
  (filter.session_id === undefined || filter.session_id === row.session_id) &&
  (filter.kinds === undefined || filter.kinds.includes(row.kind)) &&
  (filter.memory_ids === undefined || filter.memory_ids.includes(row.id)) &&
  row.created_ms >= (filter.after_ms ?? 0) &&
  row.created_ms < (filter.before_ms ?? Number.POSITIVE_INFINITY)

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (const [i, value] of a.entries()) sum += value * b[i]!
  return sum
}
