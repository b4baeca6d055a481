import { expect, test } from "bun:test"
import { openRemoteEmbedder } from "../../../src/memory/embed/remote.ts"

const never = new AbortController().signal

/** Answers with (length, 1) and keeps what it was asked. */
function start(dimensions?: number) {
  const asked: [purpose: string, texts: string[]][] = []
  const embedder = openRemoteEmbedder({
    provider: "openai",
    model: "small",
    dimensions,
    async embed(texts, purpose) {
      asked.push([purpose, [...texts]])
      return texts.map((text) => Float32Array.of(text.length, 1))
    },
  })
  return { embedder, asked }
}

const unit = (x: number, y: number) => [x, y].map((value) => Math.fround(value / Math.hypot(x, y)))

test("its name has all that changes its vectors", () => {
  expect(start().embedder.id).toBe("openai:small")
  expect(start(2).embedder.id).toBe("openai:small:2")
})

test("its length is known once it has answered, or where it is configured or known from before", async () => {
  const { embedder } = start()
  expect([embedder.dim(), embedder.is_local]).toEqual([undefined, false])
  await embedder.embed(["a"], "document", never)
  expect(embedder.dim()).toBe(2)
  expect(start(2).embedder.dim()).toBe(2)
})

test("vectors have length 1, in the order of their texts", async () => {
  const { embedder } = start()
  const rows = await embedder.embed(["aaa", "b"], "document", never)
  expect([...rows]).toEqual([...unit(3, 1), ...unit(1, 1)])
})

test("squares that a float cannot hold do no harm", async () => {
  const large = openRemoteEmbedder({
    provider: "p",
    model: "m",
    embed: async () => [Float32Array.of(3e30, 4e30)],
  })
  const [x, y] = await large.embed(["a"], "document", never)
  expect(x).toBeCloseTo(0.6, 5)
  expect(y).toBeCloseTo(0.8, 5)
})

test("a question that was asked lately is not asked again; documents are", async () => {
  const { embedder, asked } = start()
  const first = await embedder.embed(["a", "bb"], "query", never)
  const again = await embedder.embed(["bb", "ccc", "a"], "query", never)
  expect(asked).toEqual([
    ["query", ["a", "bb"]],
    ["query", ["ccc"]],
  ])
  expect([...again]).toEqual([...first.subarray(2), ...unit(3, 1), ...first.subarray(0, 2)])
  await embedder.embed(["a"], "document", never)
  expect(asked.at(-1)).toEqual(["document", ["a"]])
})

test("the cache holds the last 256 questions", async () => {
  const { embedder, asked } = start()
  await embedder.embed(["first", "second"], "query", never)
  await embedder.embed(["first"], "query", never)
  await embedder.embed(
    Array.from({ length: 255 }, (_, i) => `q${i}`),
    "query",
    never,
  )
  asked.length = 0
  await embedder.embed(["first"], "query", never)
  await embedder.embed(["second"], "query", never)
  expect(asked).toEqual([["query", ["second"]]])
})

test("nobody is asked for empty texts: their vectors are zero", async () => {
  const { embedder, asked } = start(2)
  expect([...(await embedder.embed(["", "a", " \n"], "query", never))]).toEqual([0, 0, ...unit(1, 1), 0, 0])
  expect(asked).toEqual([["query", ["a"]]])
})

test("where only empty texts come first, their length is found out", async () => {
  const { embedder, asked } = start()
  expect([...(await embedder.embed([""], "document", never))]).toEqual([0, 0])
  expect(asked).toEqual([["document", ["."]]])
  expect((await start().embedder.embed([], "document", never)).length).toBe(0)
})

test("a stop before it asks is a stop, and it has no answer at once", () => {
  const { embedder, asked } = start()
  expect(embedder.embed(["a"], "query", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough")
  expect(asked).toEqual([])
  expect(() => embedder.embedNow(["a"])).toThrow()
})
