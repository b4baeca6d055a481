import { expect, test } from "bun:test"
import { type EmbeddingUsage, openEmbeddings, type Purpose } from "../../src/providers/embeddings.ts"
import { openProviders } from "../../src/providers/providers.ts"
import { providers } from "../../src/registry.ts"

const never = new AbortController().signal
const key = "sk-embedding-key-1234"

type Asked = { path: string; headers: Headers; texts: string[]; body: Record<string, unknown> }
type Wire = {
  kind: "openai" | "openai-compatible" | "google"
  textsOf(body: never): string[]
  answer(vectors: (number | null)[][], tokens: number, path: string): unknown
  tokens_known: boolean
}

type GoogleText = { content: { parts: { text: string }[] } }
const openaiLike = {
  textsOf: ({ input }: { input: string[] }) => input,
  answer: (vectors: unknown[], tokens: number) => ({
    object: "list",
    model: "m",
    data: vectors.map((embedding, index) => ({ object: "embedding", index, embedding })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }),
  tokens_known: true,
}
const wires: Wire[] = [
  { kind: "openai", ...openaiLike },
  // Ollama's among many.
  { kind: "openai-compatible", ...openaiLike },
  {
    kind: "google",
    textsOf: (body: { requests?: GoogleText[] } & GoogleText) =>
      (body.requests ?? [body]).map(({ content }) => content.parts[0]!.text),
    answer: (vectors, _tokens, path) =>
      path.includes("batch")
        ? { embeddings: vectors.map((values) => ({ values })) }
        : { embedding: { values: vectors[0] } },
    tokens_known: false,
  },
]
const [openai, compatible] = wires as [Wire, Wire]

/** A vector that says which text it is of. */
const vectorOf = (text: string): number[] => [text.length, text.charCodeAt(0), 0.5]

/** `fail` answers a request otherwise, by its number from 0 on. */
function startService(
  wire: Wire,
  fail: (asked: Asked, index: number) => Response | undefined = () => undefined,
) {
  const asked: Asked[] = []
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const body = await request.json()
      const path = new URL(request.url).pathname
      const texts = wire.textsOf(body as never)
      const index = asked.push({ path, headers: request.headers, texts, body }) - 1
      return (
        fail(asked[index]!, index) ?? Response.json(wire.answer(texts.map(vectorOf), texts.length * 10, path))
      )
    },
  })
  return {
    asked,
    base_url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

async function open(
  wire: Wire,
  base_url: string,
  more: { dimensions?: number; batch_max?: number; timeout_ms?: number } = {},
) {
  const models = await openProviders({
    providers: {
      mine: {
        kind: wire.kind,
        base_url,
        api_key: key,
        timeout_ms: more.timeout_ms ?? 10_000,
        idle_timeout_ms: 10_000,
        headers: {},
      },
    },
    findKey: () => undefined,
    declarations: providers,
  })
  const usage: EmbeddingUsage[] = []
  const embed = openEmbeddings({
    connection: models.connect("mine"),
    model: "m",
    dimensions: more.dimensions,
    batch_max: more.batch_max ?? 100,
    cost: (input_tokens) => input_tokens / 1000,
    onUsage: (each) => usage.push(each),
    wait_first_ms: 1,
  })
  return {
    usage,
    embed: async (texts: string[], purpose: Purpose = "document", signal = never) =>
      (await embed(texts, purpose, signal)).map((vector) => [...vector]),
  }
}

const refusal = (status: number, message: string, headers: Record<string, string> = {}) =>
  Response.json({ error: { message, code: status, type: "t", status: "S" } }, { status, headers })

test.each(wires)(
  "$kind: each text gets its vector, in batches, and every request is counted",
  async (wire) => {
    await using service = startService(wire)
    const { embed, usage } = await open(wire, service.base_url, { batch_max: 2 })
    const texts = ["one", "two ", "three"]
    expect(await embed(texts)).toEqual(texts.map(vectorOf))
    expect(service.asked.map((each) => each.texts)).toEqual([["one", "two "], ["three"]])
    expect(JSON.stringify([...service.asked[0]!.headers])).toContain(key)
    const tokens = wire.tokens_known ? [20, 10] : [2, 2]
    expect(usage).toEqual(
      tokens.map((input_tokens) => ({
        provider: "mine",
        model: "m",
        input_tokens,
        cost_usd: input_tokens / 1000,
      })),
    )
  },
)

test.each(wires)(
  "$kind: a length that is configured is asked for, and another one is an error",
  async (wire) => {
    await using service = startService(wire)
    const { embed } = await open(wire, service.base_url, { dimensions: 3 })
    expect(await embed(["a"])).toHaveLength(1)
    expect(JSON.stringify(service.asked[0]!.body)).toMatch(/"(dimensions|outputDimensionality)":3/)
    const other = await open(wire, service.base_url, { dimensions: 4 })
    expect(other.embed(["a"])).rejects.toMatchObject({
      code: "provider_failed",
      data: { retryable: false, reason: "It answered with vectors of 3 where 4 were asked for." },
    })
  },
)

test("google is told whether it embeds a question or what answers it", async () => {
  await using service = startService(wires[2]!)
  const { embed } = await open(wires[2]!, service.base_url)
  await embed(["a"], "query")
  await embed(["a"], "document")
  expect(service.asked.map(({ body }) => body.taskType)).toEqual(["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT"])
})

test.each(wires)("$kind: what may pass is tried again, what may not is not", async (wire) => {
  await using passing = startService(
    wire,
    (_asked, i) =>
      [refusal(429, "slow down", { "retry-after-ms": "3" }), refusal(503, "busy"), refusal(500, "oops")][i],
  )
  const { embed, usage } = await open(wire, passing.base_url)
  expect(await embed(["a"])).toEqual([vectorOf("a")])
  expect(passing.asked.length).toBe(4)
  expect(usage.length).toBe(1)

  await using broken = startService(wire, () => refusal(503, "busy"))
  const lasting = await open(wire, broken.base_url)
  expect(lasting.embed(["a"])).rejects.toMatchObject({
    code: "provider_failed",
    data: { status: 503, provider: "mine" },
  })
  await lasting.embed(["a"]).catch(() => undefined)
  expect(broken.asked.length).toBe(8)

  await using refusing = startService(wire, () => refusal(401, `the key ${key} is wrong`))
  const refused = await open(wire, refusing.base_url)
  const failure = await refused.embed(["a"]).catch((thrown) => thrown)
  expect(failure).toMatchObject({ code: "provider_failed", data: { status: 401, retryable: false } })
  expect(JSON.stringify(failure.data)).not.toContain(key)
  expect(refusing.asked.length).toBe(1)
})

test("a provider that asks for an hour of patience is left at once", async () => {
  await using service = startService(compatible, () => refusal(429, "quota", { "retry-after": "3600" }))
  const { embed } = await open(compatible, service.base_url)
  expect(embed(["a"])).rejects.toMatchObject({ data: { retry_after_ms: 3_600_000 } })
  await embed(["a"]).catch(() => undefined)
  expect(service.asked.length).toBe(2)
})

test.each([
  ["This model's maximum context length is 8192 tokens", 400],
  ["input length exceeds the context length", 500],
  ["Request payload is too large", 413],
])(
  "texts that are refused as too long (%p) are sent alone, then cut, and it is remembered",
  async (said, status) => {
    await using service = startService(compatible, ({ texts }) =>
      texts.reduce((sum, text) => sum + text.length, 0) > 1000 ? refusal(status, said) : undefined,
    )
    const { embed } = await open(compatible, service.base_url)
    const [short, long] = ["s".repeat(600), "l".repeat(3000)]
    expect(await embed([short, long])).toEqual([vectorOf(short), vectorOf("l".repeat(750))])
    const before = service.asked.length
    expect(await embed([long])).toEqual([vectorOf("l".repeat(750))])
    expect(service.asked.length).toBe(before + 1)
  },
)

test("a text is cut between characters before anybody is asked", async () => {
  await using service = startService(compatible)
  const { embed } = await open(compatible, service.base_url)
  await embed([`a${"猫".repeat(20_000)}`, "b"])
  const [cut] = service.asked[0]!.texts
  expect(cut).toBe(`a${"猫".repeat(7_999)}`)
})

test("a request never has more bytes than a service takes", async () => {
  await using service = startService(compatible)
  const { embed } = await open(compatible, service.base_url)
  await embed(Array.from({ length: 30 }, () => "x".repeat(24_000)))
  expect(service.asked.map(({ texts }) => texts.length)).toEqual([10, 10, 10])
})

test.each<[string, unknown, string]>([
  ["too few", openai.answer([[1, 2, 3]], 1, ""), "It answered with 1 vectors for 2 texts."],
  [
    "of different lengths",
    openai.answer([[1, 2], [1]], 1, ""),
    "It answered with vectors of different lengths.",
  ],
  ["empty", openai.answer([[], []], 1, ""), "It answered with an empty vector."],
])("vectors that are %s are an error that says so", async (_name, answer, reason) => {
  await using service = startService(openai, () => Response.json(answer))
  const { embed } = await open(openai, service.base_url)
  expect(embed(["a", "b"])).rejects.toMatchObject({ code: "provider_failed", data: { reason } })
})

test("a number that a float cannot hold is an error", async () => {
  const raw = '{"object":"list","data":[{"index":0,"embedding":[1e39,1]}],"usage":{"prompt_tokens":1}}'
  await using service = startService(
    openai,
    () => new Response(raw, { headers: { "content-type": "application/json" } }),
  )
  const { embed, usage } = await open(openai, service.base_url)
  expect(embed(["a"])).rejects.toMatchObject({
    data: { reason: "It answered with a vector with something that is no number." },
  })
  await embed(["a"]).catch(() => undefined)
  // It was answered, so it was paid.
  expect(usage.length).toBe(2)
  await using nulls = startService(openai, () => Response.json(openai.answer([[null]], 1, "")))
  expect((await open(openai, nulls.base_url)).embed(["a"])).rejects.toMatchObject({ code: "provider_failed" })
})

test("vectors out of order are put in order by their numbers", async () => {
  await using service = startService(openai, ({ texts }) => {
    const whole = openai.answer(texts.map(vectorOf), 1, "") as { data: unknown[] }
    return Response.json({ ...whole, data: whole.data.toReversed() })
  })
  const { embed } = await open(openai, service.base_url)
  expect(await embed(["a", "bb", "ccc"])).toEqual(["a", "bb", "ccc"].map(vectorOf))
})

test("silence is a timeout after its attempts, and a stop ends it at once with its reason", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch() {
      resolve()
      return new Promise<Response>(() => undefined)
    },
  })
  const base_url = `http://127.0.0.1:${server.port}`
  try {
    const silent = await open(compatible, base_url, { timeout_ms: 100 })
    expect(await silent.embed(["a"]).catch((thrown) => thrown.code)).toBe("provider_timeout")
    const stopping = new AbortController()
    const waiting = (await open(compatible, base_url)).embed(["a"], "query", stopping.signal)
    await asked
    stopping.abort(new Error("enough"))
    expect(waiting).rejects.toThrow("enough")
    await waiting.catch(() => undefined)
  } finally {
    await server.stop(true)
  }
})

test("a stop ends the wait before another attempt", async () => {
  const stopping = new AbortController()
  await using service = startService(compatible, () => {
    queueMicrotask(() => stopping.abort(new Error("enough")))
    return refusal(429, "later", { "retry-after": "50" })
  })
  const { embed } = await open(compatible, service.base_url)
  expect(await embed(["a"], "query", stopping.signal).catch((thrown) => thrown.message)).toBe("enough")
})

test("what makes no vectors, or has no key, is said", async () => {
  const models = await openProviders({ providers: {}, findKey: () => undefined, declarations: providers })
  const options = { model: "m", batch_max: 1, cost: () => null, onUsage: () => undefined }
  expect(() => openEmbeddings({ ...options, connection: models.connect("offline") })).toThrow(
    expect.objectContaining({ code: "provider_failed" }),
  )
  expect(() => models.connect("openai")).toThrow(expect.objectContaining({ code: "provider_failed" }))
  expect(() => models.connect("nobody")).toThrow(expect.objectContaining({ code: "provider_failed" }))
  expect(models.connect("ollama")).toMatchObject({
    kind: "openai-compatible",
    config: { base_url: "http://127.0.0.1:11434/v1", timeout_ms: 120_000 },
  })
})
