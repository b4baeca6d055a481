/** What happens to the files beside the database, from without and from within. */
import { expect, test } from "bun:test"
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { openWasmKernel } from "../../../src/kernel/vectors/wasm.ts"
import { needs } from "../../needs.ts"
import { expected, openWorld, vectorOf, type World, type WorldOptions } from "./world.ts"

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)
const everyone = (world: World) => ({ owner_ids: world.owners })

async function check(world: World): Promise<void> {
  for (const seed of [100_001, 100_002]) {
    const vector = vectorOf(seed)
    const { hits } = await world.search(vector)
    const best = expected(world.rows, vector, everyone(world))
    expect(hits.map(({ memory_id }) => memory_id)).toEqual(best)
  }
}

const stateOf = (world: World) => world.vectors.state().sets[0]!
const pace = { slice_ms: 0, rows_at_once: 16 }
/** Rows in each of the tiers, and a graph. */
const full: WorldOptions = {
  pace,
  all_hot_rows: 10,
  settings: { index: "hnsw", hot_rows_max: 60, warm_rows_max: 40 },
}

async function openFull(): Promise<World> {
  const world = await openWorld(full)
  await world.add(numbers(150))
  await world.vectors.settle()
  world.vectors.tend()
  await world.vectors.idle()
  // Takes care of what the moves left to be done.
  await world.search(vectorOf(1))
  await world.vectors.idle()
  return world
}

test("rows of all tiers and a graph are there after a clean stop, and nothing is looked at", async () => {
  await using world = await openFull()
  expect(stateOf(world)).toMatchObject({ rows: { hot: 60, warm: 40, cold: 50 }, graph: { state: "ready" } })
  await world.reopen("clean")
  expect(stateOf(world)).toMatchObject({
    opened: "clean",
    rows: { hot: 60, warm: 40, cold: 50 },
  })
  await check(world)
  await world.vectors.idle()
  expect(stateOf(world).graph).toMatchObject({ state: "ready", nodes: 100, unlinked: 0 })
  await check(world)
  expect(stateOf(world).rebuilds).toBe(0)
})

test("after a kill what was committed last is taken over, and the files are used", async () => {
  await using world = await openFull()
  const [first] = await world.add([900])
  await world.remove([[...world.rows.keys()][3]!])
  await world.reopen("killed")
  expect(stateOf(world)).toMatchObject({ opened: "unclean", work: "checking" })
  await check(world)
  await world.vectors.idle()
  await check(world)
  expect(stateOf(world)).toMatchObject({ rebuilds: 0, work: "none" })
  const { hits } = await world.search(vectorOf(900), everyone(world), 1)
  expect(hits[0]!.memory_id).toBe(first!)
})

const names = ["rows", "i8", "scales", "f32", "cold", "bits", "graph", "graph.json"]

type Damage = {
  name: string
  how: "zeros" | "noise" | "cut" | "removed" | "longer"
  at: number
  bytes: number
}

const damage: fc.Arbitrary<Damage> = fc.record({
  name: fc.constantFrom(...names),
  how: fc.constantFrom("zeros", "noise", "cut", "removed", "longer"),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  bytes: fc.integer({ min: 1, max: 5000 }),
})

function harm(folder: string, { name, how, at, bytes }: Damage): void {
  const path = join(folder, name)
  if (!existsSync(path)) return
  const { size } = statSync(path)
  // Where something is: the files have room for more.
  const used = Math.min(size, 16_384)
  if (how === "removed") rmSync(path)
  else if (how === "cut") truncateSync(path, Math.floor(at * used))
  else if (how === "longer") writeFileSync(path, Buffer.alloc(bytes, 7), { flag: "a" })
  else {
    const file = openSync(path, "r+")
    const noise = Buffer.from(numbers(bytes).map((i) => (how === "noise" ? (i * 167 + bytes) % 256 : 0)))
    writeSync(file, noise, 0, bytes, Math.floor(at * used))
    closeSync(file)
  }
}

test("files that are torn anywhere never give a wrong result", async () => {
  await using world = await openFull()
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
      await world.reopen("unclean", () => {
        for (const one of damages) harm(world.folder, one)
      })
      await check(world)
      await world.vectors.idle()
      await check(world)
      const [checked] = await world.vectors.check(3)
      expect(checked).toMatchObject({ rows: 150, rows_in_files: 150, digest_agrees: true })
    }),
    { numRuns: 25 },
  )
}, 60_000)

test("what a torn page brings back in a free slot is wiped, between rows and behind the last", async () => {
  await using world = await openFull()
  const ids = [...world.rows.keys()]
  await world.remove(ids.filter((_, i) => i % 2 === 0 || i > 100))
  await world.vectors.settle()
  const places = world.store.db.query("SELECT place FROM vector WHERE tier < 2").values().flat()
  const taken = new Set(places.map((place) => (place as number) % 2 ** 32))
  const free = numbers(150).filter((slot) => !taken.has(slot))
  expect(free[0]!).toBeLessThan(Math.max(...taken))
  const bytes = ["i8", "scales", "f32"].flatMap((name, i) =>
    [free[0]!, free.at(-1)!].map((slot) => ({ path: join(world.folder, name), at: slot * [32, 4, 80][i]! })),
  )
  const read = () => bytes.map(({ path, at }) => readFileSync(path)[at])
  await world.reopen("unclean", () => {
    for (const { path, at } of bytes) {
      const file = openSync(path, "r+")
      writeSync(file, Buffer.from([77]), 0, 1, at)
      closeSync(file)
    }
    expect(read()).toEqual(bytes.map(() => 77))
  })
  await world.vectors.idle()
  expect(stateOf(world).rebuilds).toBe(0)
  expect(read()).toEqual(bytes.map(() => 0))
  await check(world)
})

test.each([
  ["rows", "rows is missing or too short"],
  ["i8", "i8 is missing or too short"],
  ["scales", "scales is missing or too short"],
  ["f32", "f32 is missing or too short"],
  ["bits", "bits is missing or too short"],
])("a file %s that is cut after a clean stop is noticed", async (name, reason) => {
  await using world = await openFull()
  await world.reopen("clean", () => truncateSync(join(world.folder, name), 100))
  expect(stateOf(world)).toMatchObject({ work: "rebuilding", rebuilt_because: reason })
  await check(world)
  await world.vectors.idle()
  await check(world)
  expect(stateOf(world)).toMatchObject({ work: "none", rebuilds: 1 })
})

test.each([
  ["of another version", { layout: 99 }, "they were of another version"],
  ["of another set", { set_id: 77 }, "they were of another set"],
])("files %s are not used", async (_, said, reason) => {
  await using world = await openFull()
  await world.reopen("clean", () => {
    const path = join(world.folder, "clean.json")
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...said }))
  })
  expect(stateOf(world).rebuilt_because).toBe(reason)
  await check(world)
  await world.vectors.idle()
  await check(world)
})

test("while files are made anew, a search says how far that is", async () => {
  await using world = await openFull()
  await world.reopen("clean", () => rmSync(join(world.folder, "i8")))
  const said: string[] = []
  while (stateOf(world).work === "rebuilding") {
    said.push((await world.search(vectorOf(5))).index)
    await check(world)
    // A search that need not wait lets nobody else have a turn.
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(said[0]).toMatch(/^exact \(rebuilding \d+ %\)$/)
})

const kernels = { library: undefined, wasm: openWasmKernel(), typescript: openReferenceKernel() }

test.each(Object.entries(kernels))("%s: what is deleted is in no file", async (_, kernel) => {
  const options: WorldOptions = { ...full, ...(kernel && { kernel }) }
  await using world = await openWorld(options)
  const ids = await world.add(numbers(100))
  await world.vectors.idle()
  await world.reopen("clean")
  world.vectors.tend()
  await world.vectors.idle()
  await world.reopen("clean")
  const floats = ids.map((id) => Buffer.from(world.rows.get(id)!.vector.buffer))
  const bytes = floats.map((_, i) => Buffer.from(world.kernel.quantise(vectorOf(i), 20).bytes.slice(0, 20)))
  const find = (wanted: Buffer[]) =>
    wanted.filter((one) =>
      readdirSync(world.folder).some((name) => readFileSync(join(world.folder, name)).includes(one)),
    ).length
  expect([find(floats), find(bytes)]).toEqual([60, 100])
  const [kept] = [...floats.keys()].filter((i) => find([floats[i]!]) === 1)
  const gone = [...floats.keys()].filter((i) => i !== kept)
  await world.remove(gone.map((i) => ids[i]!))
  await world.vectors.settle()
  expect([find(gone.map((i) => floats[i]!)), find(gone.map((i) => bytes[i]!))]).toEqual([0, 0])
  expect([find([floats[kept!]!]), find([bytes[kept!]!])]).toEqual([1, 1])
  await check(world)
})

test("where there can be no folder, it goes on in memory and says so", async () => {
  const home = mkdtempSync(join(tmpdir(), "weft-vectors-"))
  writeFileSync(join(home, "vectors"), "a file")
  {
    await using world = await openWorld({ ...full, folder: join(home, "vectors") })
    expect(stateOf(world)).toMatchObject({ kept_in: "memory", reason: "ENOTDIR" })
    await world.add(numbers(150))
    await check(world)
    world.vectors.tend()
    await world.vectors.idle()
    await check(world)
    await world.vectors.idle()
    expect(stateOf(world)).toMatchObject({ bytes: 0, graph: { state: "ready" } })
    await world.reopen("clean")
    await check(world)
    await world.vectors.idle()
    await check(world)
    expect(world.lines.join()).toContain("kept in memory")
  }
  rmSync(home, { recursive: true })
})

needs({ tmpfs: true })("on a full disk it goes on in memory and says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weft-full-"))
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder])
  chmodSync(folder, 0o700)
  try {
    await using world = await openWorld({ folder, settings: { index: "exact" } })
    expect(stateOf(world)).toMatchObject({ kept_in: "files" })
    for (let i = 0; i < 10; i++) {
      await world.add(numbers(200, i * 200))
      await check(world)
    }
    expect(stateOf(world)).toMatchObject({ kept_in: "memory", reason: "ENOSPC", rows: { hot: 2000 } })
  } finally {
    Bun.spawnSync(["umount", "-l", folder])
    rmdirSync(folder)
  }
})
