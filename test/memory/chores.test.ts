/** What is done in the background without anybody asking for it. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openLog } from "../../src/base/log.ts"
import { parser } from "../../src/base/schema.ts"
import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { openChores } from "../../src/memory/chores.ts"
import { memorySection } from "../../src/memory/config.ts"
import { openHashEmbedder } from "../../src/memory/embed/hash.ts"
import { hashText } from "../../src/memory/index/hash.ts"
import { openSetsInUse } from "../../src/memory/index/in-use.ts"
import { openIndexer } from "../../src/memory/index/indexer.ts"
import { openMemoryService } from "../../src/memory/service.ts"
import { openUses } from "../../src/memory/uses.ts"
import { openVectors } from "../../src/memory/vectors/open.ts"
import type { Vectors } from "../../src/memory/vectors/set.ts"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { openStore } from "../../src/store/open.ts"
import { temporaryFolder } from "../harness.ts"

test("what was taken in is in the files of the vectors before anybody searches", async () => {
  await using home = await temporaryFolder()
  await using store = openStore(join(home.path, "weft.db"))
  const kernel = loadVectorKernel()
  const log = openLog("warn", () => undefined)
  const options = { store, kernel, folder: join(home.path, "vectors"), log, now_ms: Date.now }
  await using memory = await openMemoryService(options, {
    config: parser(memorySection.schema)({}),
    agents: new Map(),
    embedder: openHashEmbedder(kernel),
    ask: async () => undefined,
    findEmbedder: () => undefined,
    readSoul: () => [],
  })
  const reader = { agent: "default", sender: "ws:default:ann" }
  for (const text of ["Ann has a red boat.", "Bob has a blue bike."])
    await memory.add({ reader, audience: { to: "sender" }, text, tags: [], importance: 0.5, source: "user" })
  await memory.idle()
  expect((await memory.stats()).vectors).toMatchObject([{ hot: 2, missing: 0 }])
})

test("rows that have their vectors are not looked through again", async () => {
  await using home = await temporaryFolder()
  await using store = openStore(join(home.path, "weft.db"))
  const kernel = loadVectorKernel()
  const log = openLog("warn", () => undefined)
  const { index, tiers } = parser(memorySection.schema)({})
  const folder = join(home.path, "vectors")
  const settings = { index, ...tiers }
  await using vectors = openVectors({ store, kernel, folder, settings, log, now_ms: Date.now })
  const embedder = openHashEmbedder(kernel)
  const set = await vectors.use(embedder.id, embedder.dim()!)
  const addAll = (texts: string[], at: (text: string, i: number) => Float32Array | undefined) =>
    store.commit((db) => {
      const owner_id = takeOwner(db, { agent: "default", sender: "", namespace: "" })
      const row = { owner_id, kind: "note" as const, session_id: null, message_id: null, words: "" }
      const how = { importance: 0.5, source: "user" as const, created_ms: 1, tags: [] }
      return texts.map((text, i) => {
        const id = addMemory(db, { ...row, ...how, text, hash: hashText(text) })
        const vector = at(text, i)
        if (vector) vectors.add(db, set.id, [{ memory_id: id, vector }])
        return id
      })
    })
  const first = await addAll(["one", "two", "three"], (text) => embedder.embedNow!([text]))
  const asked: number[] = []
  const missing: Vectors["missing"] = (set_id, after_id, limit) => {
    asked.push(after_id)
    return vectors.missing(set_id, after_id, limit)
  }
  const { signal } = new AbortController()
  const deps = { store, vectors: { ...vectors, missing }, log, now_ms: Date.now, signal }
  const indexer = openIndexer(deps, () => [{ set, embedder }])
  expect([await indexer.fill(set, embedder), await indexer.fill(set, embedder)]).toEqual([0, 0])
  const more = await addAll(["four", "five"], () => undefined)
  expect([await indexer.fill(set, embedder), await indexer.fill(set, embedder)]).toEqual([2, 0])
  expect(asked).toEqual([0, first.at(-1)!, first.at(-1)!, more.at(-1)!])
  expect(vectors.state().sets[0]!.missing).toBe(0)
})

test("who wakes the background does not have the use of all rows read each time", async () => {
  await using home = await temporaryFolder()
  await using store = openStore(join(home.path, "weft.db"))
  const kernel = loadVectorKernel()
  const log = openLog("warn", () => undefined)
  const config = parser(memorySection.schema)({})
  let now = 1_800_000_000_000
  const now_ms = () => now
  const folder = join(home.path, "vectors")
  const settings = { index: config.index, ...config.tiers }
  await using vectors = openVectors({ store, kernel, folder, settings, log, now_ms })
  let count = 0
  const counting = { ...vectors, tend: () => void count++ }
  const embedder = openHashEmbedder(kernel)
  const sets = openSetsInUse(vectors, embedder, () => undefined)
  const { signal } = new AbortController()
  const indexer = openIndexer({ store, vectors, log, now_ms, signal }, sets.list)
  const uses = openUses({ store, now_ms })
  const memory = {
    ...{ config, agents: new Map(), embedder },
    ...{ findEmbedder: () => undefined, readSoul: () => [], ask: async () => undefined },
  }
  const deps = { store, vectors: counting, sets, indexer, log, now_ms, signal, settings: () => memory, uses }
  const tiers = openChores(deps).find(({ name }) => name === "tiers")!
  const counts: number[] = []
  for (const minutes of [0, 1, 58, 1, 1]) {
    now += minutes * 60_000
    await tiers.step()
    counts.push(count)
  }
  expect(counts).toEqual([1, 1, 1, 2, 2])
})
