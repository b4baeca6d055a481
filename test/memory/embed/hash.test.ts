import { expect, test } from "bun:test"
import fc from "fast-check"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { commonWords, hashWord } from "../../../src/memory/embed/common.ts"
import { openHashEmbedder } from "../../../src/memory/embed/hash.ts"

const embedder = openHashEmbedder(openReferenceKernel())
const dim = 384

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
const alike = (a: string, b: string) => {
  const rows = embedder.embedNow([a, b])
  return dot(rows.subarray(0, dim), rows.subarray(dim))
}

test("it is local, of a known length, and named by what changes its vectors", async () => {
  expect([embedder.id, embedder.dim(), embedder.is_local]).toEqual(["hash:1:384", 384, true])
  const texts = ["one", "", "zwei"]
  expect(await embedder.embed(texts, "query", new AbortController().signal)).toEqual(embedder.embedNow(texts))
  expect(embedder.embed(texts, "query", AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped")
})

test("vectors have length 1, or are zero where there is no word", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }), (texts) => {
      const rows = embedder.embedNow(texts)
      expect(rows.length).toBe(texts.length * dim)
      for (const i of texts.keys()) {
        const row = rows.subarray(i * dim, (i + 1) * dim)
        const length = Math.sqrt(dot(row, row))
        if (length !== 0) expect(length).toBeCloseTo(1, 5)
      }
    }),
  )
  expect(embedder.embedNow(["?!… —"]).every((value) => value === 0)).toBe(true)
})

test.each([
  ["my sister's kitchens", "the kitchen of my sister", "a train to the mountains"],
  ["Kündigungsfrist der Wohnung", "wann kann ich die Wohnungen kündigen", "Rezept für Apfelkuchen"],
  ["recieve the invoce", "receive the invoice", "water the plants"],
  ["我的妹妹住在里昂", "妹妹在里昂住得好吗", "明天下午开会讨论预算"],
  ["error in foldText.ts", "FOLD_TEXT fails", "error of the printer"],
  ["Straße in Köln", "STRASSE KOLN", "Haus in Bonn"],
])("%p is nearer to %p than to %p", (text, near, far) => {
  expect(alike(text, near)).toBeGreaterThan(alike(text, far) + 0.1)
})

test("words that everybody uses hardly count", () => {
  expect(alike("where is the passport", "passport")).toBeGreaterThan(0.8)
})

test("case, accents and order change little or nothing", () => {
  expect(alike("Él llegó AYER a Bogotá", "el llego ayer a bogota")).toBeCloseTo(1, 5)
  expect(alike("green tea", "tea green")).toBeCloseTo(1, 5)
})

test("the vector of a text is what it was: a change of any bit makes it another embedder", () => {
  const row = embedder.embedNow(["My sister Clara lives in Leith. 我的猫 größe getUserName 42"])
  expect(Bun.hash.xxHash64(new Uint8Array(row.buffer)).toString(16)).toMatchInlineSnapshot(
    `"33ce0a0676e95232"`,
  )
})

test("common words are sorted and each there once", () => {
  const common = commonWords()
  expect(common.length).toBeGreaterThan(1000)
  for (let i = 1; i < common.length; i++) expect(common[i]!).toBeGreaterThan(common[i - 1]!)
  expect(common).toContain(hashWord("the"))
  // The published values of FNV-1a.
  expect([hashWord(""), hashWord("a"), hashWord("foobar")]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968])
})
