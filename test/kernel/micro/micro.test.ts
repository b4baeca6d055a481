/** The microkernel, as its users have it. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import fc from "fast-check"
import { bundleKernel } from "../../../scripts/reference/client.ts"
import { type Index, loadIndex, openIndex } from "../../../src/kernel/micro/micro.ts"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { needs } from "../../needs.ts"
import { openPage } from "../../ui/browser.ts"
import { bytesOf, numbers } from "../vectors/shapes.ts"

const root = join(import.meta.dir, "../../..")
const bundle_path = join(root, "src/kernel/micro/kernel.gen.js")
const reference = openReferenceKernel()

/** Rows in clusters of ten. */
function clustersOf(n: number, dim: number): Float32Array[] {
  const even = numbers(n * dim, 1, "even")
  const centres = numbers(Math.ceil(n / 10) * dim, 2, "even")
  return Array.from({ length: n }, (_, row) =>
    Float32Array.from(
      { length: dim },
      (_, i) => centres[(row % (n / 10)) * dim + i]! + even[row * dim + i]! / 3,
    ),
  )
}

async function filled(vectors: Float32Array[], capacity = vectors.length): Promise<Index> {
  const index = await openIndex({ dim: vectors[0]!.length, capacity })
  for (const vector of vectors) index.add(vector)
  return index
}

const vectors = clustersOf(1000, 24)
const queries = clustersOf(1000, 24).slice(0, 30)

test("an exact search finds what the reference finds, whatever was removed and linked", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 250 }),
      fc.integer({ min: 0, max: 250 }),
      fc.uniqueArray(fc.nat(220), { maxLength: 5 }),
      fc.integer(),
      async (n, dim, k, linked, removed, seed) => {
        const values = numbers(n * dim, seed, "few")
        const rows = Array.from({ length: n }, (_, row) => values.subarray(row * dim, (row + 1) * dim))
        const index = await filled(rows, n + 5)
        index.link(linked)
        expect(removed.map((id) => index.remove(id))).toEqual(removed.map((id) => id < n))
        const query = numbers(dim, seed + 1, "even")
        using matrix = bytesOf(reference, { n, dim, values })
        const { ids, scores } = reference.scanI8(query, matrix, n, undefined, n)
        const left = Array.from(ids, (id, i) => ({ id, score: scores[i]! })).filter(
          ({ id }) => !removed.includes(id),
        )
        expect(index.search(query, k, { exact: true })).toEqual(left.slice(0, k))
        if (linked === 0) expect(index.search(query, k)).toEqual(left.slice(0, k))
      },
    ),
    { numRuns: 40 },
  ))

test("the graph finds what the whole search finds, as far as it is linked, and what is not linked", async () => {
  const index = await filled(vectors)
  expect(index.link(600)).toBe(400)
  const shares = queries.map((query) => {
    const exact = new Set(index.search(query, 10, { exact: true }).map(({ id }) => id))
    return index.search(query, 10).filter(({ id }) => exact.has(id)).length / 10
  })
  expect(shares.reduce((sum, share) => sum + share) / shares.length).toBeGreaterThanOrEqual(0.98)
  expect(index.search(vectors[900]!, 1)).toMatchObject([{ id: 900 }])
  expect([index.remove(900), index.remove(900), index.remove(3), index.link()]).toEqual([
    true,
    false,
    true,
    0,
  ])
  expect(index.search(vectors[900]!, 5).map(({ id }) => id)).not.toContain(900)
  expect(index.search(vectors[3]!, 5).map(({ id }) => id)).not.toContain(3)
})

test("what was saved is searched with the same results, and goes on from there", async () => {
  for (const linked of [0, 700, 1000]) {
    const index = await filled(vectors.slice(0, 900), 1000)
    index.link(linked)
    index.remove(17)
    const loaded = await loadIndex(index.save())
    for (const from of [index, loaded]) {
      for (const vector of vectors.slice(900)) from.add(vector)
      from.link()
    }
    expect(queries.map((query) => loaded.search(query, 5))).toEqual(
      queries.map((query) => index.search(query, 5)),
    )
    expect(loaded.save()).toEqual(index.save())
  }
})

test("a damaged file is refused, or searched without leaving its memory", async () => {
  const index = await filled(vectors.slice(0, 200))
  index.link(150)
  const saved = index.save()
  await fc.assert(
    fc.asyncProperty(
      fc.nat(saved.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.constantFrom("flip", "cut", "grow"),
      async (at, change, how) => {
        const bytes =
          how === "cut" ? saved.slice(0, at) : new Uint8Array(saved.length + (how === "grow" ? 1 : 0))
        if (how !== "cut") bytes.set(saved)
        if (how === "flip") bytes[at]! ^= change
        const loaded = await loadIndex(bytes).catch((thrown: Error) => thrown)
        if (loaded instanceof Error) return expect(loaded).toBeInstanceOf(RangeError)
        expect(how).toBe("flip")
        for (const { id } of loaded.search(queries[0]!, 20)) expect(id).toBeLessThan(200)
        loaded.link()
      },
    ),
    { numRuns: 150 },
  )
})

test.each([
  ["a length of zero", { dim: 0, capacity: 1 }],
  ["too long vectors", { dim: 4097, capacity: 1 }],
  ["no room", { dim: 1, capacity: 0 }],
  ["half a vector", { dim: 1, capacity: 1.5 }],
  ["one link", { dim: 1, capacity: 1, degree: 1 }],
  ["more than the memory", { dim: 4096, capacity: 2_000_000 }],
])("an index with %s is refused", async (_, options) => {
  await expect(openIndex(options)).rejects.toBeInstanceOf(RangeError)
})

test.each([
  ["NaN", [1, Number.NaN]],
  ["an infinity", [Number.POSITIVE_INFINITY, 1]],
  ["a number whose square is too large", [0, 1e18]],
  ["too few numbers", [1]],
  ["too many numbers", [1, 2, 3]],
  ["no numbers", ["a", {}] as unknown as number[]],
])("a vector with %s is refused, and leaves the index as it was", async (_, vector) => {
  const index = await openIndex({ dim: 2, capacity: 1 })
  expect(() => index.add(vector)).toThrow(RangeError)
  expect(() => index.search(vector, 1)).toThrow(RangeError)
  expect([index.count, index.add([1, 2]), index.search([1, 2], 3).length]).toEqual([0, 0, 1])
  expect(() => index.add([1, 2])).toThrow("full")
  expect(() => index.search([1, 2], 0)).toThrow(RangeError)
  expect(() => index.search([1, 2], 5, { breadth: 4 })).toThrow(RangeError)
})

test("the committed bundle is what the source makes, and names nothing of Bun or Node", async () => {
  const bundle = await Bun.file(bundle_path).text()
  expect(bundle).toBe(await bundleKernel())
  expect(bundle).not.toMatch(/\bBun\.|\bprocess\b|\brequire\(|^import |node:/m)
})

const program = `
  import { loadIndex, openIndex } from ${JSON.stringify(bundle_path)}
  const index = await openIndex({ dim: 3, capacity: 100 })
  for (let i = 0; i < 100; i++) index.add([Math.sin(i), Math.cos(i), 0.1])
  index.link(50)
  const loaded = await loadIndex(index.save())
  console.log(JSON.stringify(loaded.search([Math.sin(7), Math.cos(7), 0.1], 2).map(({ id }) => id)))
`

needs({ command: "node" })("Node searches with the bundle", () => {
  const child = Bun.spawnSync(["node", "--input-type=module", "--eval", program], { stderr: "pipe" })
  expect({ out: child.stdout.toString(), said: child.stderr.toString() }).toEqual({
    out: "[7,51]\n",
    said: "",
  })
})

needs({ command: "chromium" })(
  "the example page searches 100,000 vectors in the browser, and links them meanwhile",
  async () => {
    await using server = Bun.serve({
      port: 0,
      fetch: ({ url }) => new Response(Bun.file(join(root, new URL(url).pathname))),
    })
    await using page = await openPage()
    await page.goto(`${server.url}docs/guides/vectors.html?rows=100000&dim=32`)
    await page.until(
      'document.body.dataset.state === "linking" && document.getElementById("graph").textContent.includes("ms")',
    )
    await page.click("#search")
    expect(await page.read<number>('document.querySelectorAll("#hits li").length')).toBe(10)
    expect(await page.read<string>('document.getElementById("exact").textContent')).toMatch(/^\d+\.\d\d ms$/)
    expect(
      Number.parseFloat(await page.read('document.getElementById("recall").textContent')),
    ).toBeGreaterThan(90)
    expect(page.complaints).toEqual([])
  },
  30_000,
)
