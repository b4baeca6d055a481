/** A change of embedder, tiers, graphs. */
import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { openLog } from "../../../src/base/log.ts"
import { closeCollection, openCollection } from "../../../src/memory/vectors/collection.ts"
import { chooseTiers, type TierSettings, tendTiers } from "../../../src/memory/vectors/tiers.ts"
import { listSets, type Tier } from "../../../src/store/vectors.ts"
import { expected, first_ms, openWorld, vectorOf, type World, type WorldOptions } from "./world.ts"

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)
const pace = { slice_ms: 0, rows_at_once: 16 }

async function check(world: World): Promise<void> {
  const vector = vectorOf(100_001)
  const { hits } = await world.search(vector)
  const best = expected(world.rows, vector, { owner_ids: world.owners })
  expect(hits.map(({ memory_id }) => memory_id)).toEqual(best)
}

const stateOf = (world: World) => world.vectors.state().sets[0]!

test("another embedder's set is filled beside the one that serves, and then takes its place", async () => {
  await using world = await openWorld({ pace })
  const { vectors, store } = world
  await world.add(numbers(40))
  const old = vectors.sets()[0]!
  const filled = await vectors.use("test:2", 8)
  expect(vectors.sets()).toEqual([old, { id: 2, embedder: "test:2", dim: 8, state: "filling" }])
  expect(await vectors.use("test:2", 8)).toEqual(filled)
  const { ids: missing, upto } = await vectors.missing(filled.id, 0, 25)
  expect(upto).toBe(missing.at(-1)!)
  expect(missing).toEqual([...world.rows.keys()].slice(0, 25))
  const rows = missing.map((memory_id) => ({ memory_id, vector: vectorOf(memory_id, 8) }))
  expect(await store.commit((db) => vectors.add(db, filled.id, rows))).toBe(25)
  // Twice, and for a row that is gone: neither is added.
  await world.remove([missing[0]!])
  expect(await store.commit((db) => vectors.add(db, filled.id, rows))).toBe(0)
  const query = { set_id: filled.id, vector: vectorOf(missing[4]!, 8), k: 1 }
  const found = await vectors.search({ ...query, filter: { owner_ids: world.owners } })
  expect(found.hits[0]!.memory_id).toBe(missing[4]!)
  expect(found.rows).toBe(24)
  await check(world)
  const rest = [...world.rows.keys()].slice(24)
  expect(await vectors.missing(filled.id, missing.at(-1)!, 100)).toEqual({ ids: rest, upto: rest.at(-1)! })
  expect(await vectors.missing(filled.id, rest.at(-1)!, 100)).toEqual({ ids: [], upto: rest.at(-1)! })
  expect(vectors.state().sets[1]!.missing).toBe(15)
  await vectors.finish(filled.id)
  expect(vectors.sets()).toEqual([{ ...filled, state: "serving" }])
  expect((await world.search(vectorOf(1))).hits).toEqual([])
  await vectors.idle()
  expect(existsSync(world.folder)).toBe(false)
  const left = store.db.query("SELECT place >> 33 AS id, count(*) AS n FROM vector GROUP BY 1").all()
  expect(left).toEqual([{ id: 2, n: 24 }])
  expect(store.db.query("SELECT id FROM vector_set").values()).toEqual([[2]])
  expect(store.db.query("SELECT * FROM vector_change").all()).toEqual([])
})

test("who goes back to the embedder that still serves gives up what was being filled", async () => {
  await using world = await openWorld()
  await world.add(numbers(5))
  await world.vectors.use("test:2", 8)
  await world.reopen("killed")
  expect(world.vectors.sets().map(({ embedder }) => embedder)).toEqual(["test:1", "test:2"])
  expect((await world.vectors.use("test:1", 20)).id).toBe(world.set_id)
  expect(world.vectors.sets()).toHaveLength(1)
  // It was given up a moment ago.
  await world.vectors.finish(2)
  expect(world.vectors.sets()).toMatchObject([{ embedder: "test:1", state: "serving" }])
  await check(world)
})

test("a write that fails with its group leaves no place taken", async () => {
  await using world = await openWorld()
  const [first, second] = await world.add([1, 2])
  await world.remove([first!, second!])
  const failing = world.store.commit(() => {
    throw new Error("on purpose")
  })
  await Promise.allSettled([world.add([3, 4, 5]), failing])
  await check(world)
  expect(stateOf(world).rows.hot).toBe(3)
  const slots = world.store.db.query("SELECT place & 4294967295 AS slot FROM vector ORDER BY 1").values()
  expect(slots.flat()).toEqual([0, 1, 2])
})

test("times are exact to the millisecond, in each tier", async () => {
  const tiers = { hot_rows_max: 10, warm_rows_max: 10 }
  await using world = await openWorld({ all_hot_rows: 5, settings: tiers })
  await world.add(numbers(30))
  await world.vectors.settle()
  world.vectors.tend()
  await world.vectors.idle()
  expect(stateOf(world).rows).toEqual({ hot: 10, warm: 10, cold: 10 })
  const owner_ids = world.owners
  for (const { id, created_ms, vector } of world.rows.values()) {
    const isFound = async (times: { after_ms?: number; before_ms?: number }) =>
      (await world.search(vector, { owner_ids, ...times }, 30)).hits.some(({ memory_id }) => memory_id === id)
    expect([
      await isFound({ after_ms: created_ms }),
      await isFound({ after_ms: created_ms + 1 }),
      await isFound({ before_ms: created_ms }),
      await isFound({ before_ms: created_ms + 1 }),
    ]).toEqual([true, false, false, true])
  }
})

const settings: TierSettings = {
  hot_rows_max: 2,
  warm_rows_max: 2,
  warm_after_days: 10,
  cold_after_days: 20,
  all_hot_rows: 3,
}
const now_s = 1_800_000_000
const hours = (...days_ago: number[]) => days_ago.map((days) => Math.floor(now_s / 3600) - days * 24)

test.each([
  ["few rows are hot however old", hours(0, 100, 900), [0, 2, 1], [0, 0, 0]],
  ["the latest are hot, the next warm", hours(5, 1, 4, 2, 3), [0, 0, 0, 0, 0], [2, 0, 1, 0, 1]],
  ["old rows are warm where there is room", hours(1, 12, 13, 14, 15), [0, 0, 0, 0, 0], [0, 1, 1, 1, 2]],
  ["very old rows are cold", hours(1, 2, 30, 40), [0, 0, 0, 0], [0, 0, 2, 2]],
  ["what was used comes back", hours(1, 2, 3, 0), [0, 0, 1, 2], [0, 1, 1, 0]],
  ["of equals those stay that are there", hours(3, 3, 3, 3), [1, 0, 1, 0], [1, 0, 1, 0]],
] as [string, number[], Tier[], Tier[]][])("tiers: %s", (_, used, tiers, wanted) => {
  expect(chooseTiers({ hours: used, tiers }, settings, now_s)).toEqual(wanted)
})

test("rows are not moved while a search reads them one after the other", async () => {
  await using world = await openWorld()
  await world.add(numbers(30))
  const { kernel, store } = world
  const context = {
    ...{ store, pace, now_ms: () => first_ms, settle: () => false },
    tiers: { ...settings, hot_rows_max: 5 },
  }
  const countHot = () => store.db.query("SELECT count(*) FROM vector WHERE tier = 0").values()[0]![0]
  await world.reopen("clean", async () => {
    const [row] = listSets(store.db)
    const log = openLog("warn", () => undefined)
    const collection = openCollection(kernel, store.db, join(world.home, "vectors"), row!, log)
    collection.waiting = 1
    const tending = tendTiers(collection, context, new AbortController().signal)
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    expect([collection.work, countHot()]).toEqual(["moving", 30])
    collection.waiting = 0
    await tending
    expect(countHot()).toBeLessThanOrEqual(5)
    closeCollection(collection, false)
  })
  await check(world)
})

const walking: WorldOptions = { pace, settings: { index: "hnsw" } }

test("what is added beside the graph is found at once, and linked in the background", async () => {
  await using world = await openWorld(walking)
  await world.add(numbers(100))
  await world.vectors.settle()
  await world.vectors.idle()
  expect((await world.search(vectorOf(7))).index).toBe("hnsw")
  const added = await world.add(numbers(30, 500))
  const found = await world.search(vectorOf(501), undefined, 1)
  expect(found).toMatchObject({ index: "hnsw + 30 exact", hits: [{ memory_id: added[1]! }] })
  await world.vectors.idle()
  expect((await world.search(vectorOf(501))).index).toBe("hnsw")
  expect(stateOf(world).graph).toMatchObject({ nodes: 130, unlinked: 0 })
})

test("a filter that lets few rows through is answered exactly", async () => {
  await using world = await openWorld(walking)
  await world.add(numbers(100))
  await world.vectors.settle()
  await world.vectors.idle()
  const filter = { owner_ids: world.owners, kinds: ["note" as const] }
  expect(await world.search(vectorOf(7), filter)).toMatchObject({ index: "exact", looked_at: 20 })
})

test("a saved graph is reconciled by its keys with what changed meanwhile", async () => {
  await using world = await openWorld(walking)
  const ids = await world.add(numbers(200))
  await world.vectors.settle()
  await world.vectors.idle()
  const breadth = stateOf(world).graph.breadth
  await world.reopen("clean", () => world.remove(ids.slice(0, 20)))
  // A slot that another row has by now.
  await world.add(numbers(15, 700))
  await world.vectors.idle()
  await world.search(vectorOf(1))
  await world.vectors.idle()
  expect(stateOf(world).graph).toMatchObject({ state: "ready", breadth, nodes: 195, unlinked: 0 })
  const [checked] = await world.vectors.check(20)
  expect(checked!.recall).toBeGreaterThanOrEqual(0.97)
  expect(existsSync(join(world.folder, "graph"))).toBe(true)
})

/** How often others had their turn before it was over. */
async function countTurns(work: Promise<unknown>): Promise<number> {
  let is_over = false
  const done = work.then(() => {
    is_over = true
  })
  let turns = 0
  for (; !is_over; turns++) await new Promise((resolve) => setImmediate(resolve))
  await done
  return turns
}

test("much that is deleted at once is taken over in steps, and none of it is found meanwhile", async () => {
  await using world = await openWorld({ pace })
  const ids = await world.add(numbers(400))
  await world.vectors.settle()
  await world.remove(ids.slice(0, 330))
  expect(await countTurns(world.vectors.settle())).toBeGreaterThanOrEqual(330 / (2 * pace.rows_at_once) - 1)
  await world.remove(ids.slice(330, 390))
  await check(world)
})

test("a graph of which much was removed at once is reconciled with it", async () => {
  await using world = await openWorld(walking)
  const ids = await world.add(numbers(400))
  await world.vectors.settle()
  await world.vectors.idle()
  const saved = () => readFileSync(join(world.folder, "graph.json"), "utf8")
  const before = saved()
  await world.remove(ids.slice(0, 38))
  await world.vectors.settle()
  expect((await world.search(vectorOf(3))).index).toBe("exact")
  await check(world)
  await world.vectors.idle()
  expect(stateOf(world).graph).toMatchObject({ state: "ready", nodes: 362, unlinked: 0 })
  expect((await world.search(vectorOf(3))).index).toBe("hnsw")
  // Not by building it anew.
  expect(saved()).toBe(before)
  expect((await world.vectors.check(20))[0]!.recall).toBeGreaterThanOrEqual(0.97)
})

test("rows that are removed while the graph is reconciled do not stay in it", async () => {
  await using world = await openWorld(walking)
  const ids = await world.add(numbers(400))
  await world.vectors.settle()
  await world.vectors.idle()
  await world.remove(ids.slice(200, 239))
  await Promise.all([check(world), world.vectors.settle(), check(world)])
  for (let at = 0; stateOf(world).graph.state !== "ready"; at += 2) {
    await world.remove(ids.slice(at, at + 2))
    await world.vectors.settle()
    await check(world)
  }
  await world.vectors.idle()
  const { graph, rows } = stateOf(world)
  expect(graph).toMatchObject({ state: "ready", nodes: rows.hot, unlinked: 0 })
  expect(rows.hot).toBe(world.rows.size)
})

test("a graph of which most was removed is built anew", async () => {
  await using world = await openWorld(walking)
  const ids = await world.add(numbers(300))
  await world.vectors.settle()
  await world.vectors.idle()
  const seed = () => JSON.parse(readFileSync(join(world.folder, "graph.json"), "utf8")).seed
  const before = seed()
  await world.remove(ids.slice(0, 150))
  await world.vectors.settle()
  await world.vectors.idle()
  expect(seed()).toBe(before + 1)
  const { graph } = stateOf(world)
  expect(graph).toMatchObject({ state: "ready", nodes: 150, unlinked: 0 })
  expect((await world.vectors.check(20))[0]!.recall).toBeGreaterThanOrEqual(0.97)
})
