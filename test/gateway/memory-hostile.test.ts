/** Whatever a client sends to the memory's methods, the answer is a result or an error of the table, and the memory goes on. */
import { afterAll, expect, test } from "bun:test"
import fc from "fast-check"
import { startGateway } from "../harness.ts"
import { ask, call } from "./client.ts"

const gateway = await startGateway()
afterAll(() => gateway[Symbol.asyncDispose]())

const Text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom("", "*", '"', "a OR b", "NEAR(", "\0", "\ud800", "%", "-- ", "é", "张伟", "o1"),
)
const Number_ = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -1, 1e15, Number.MAX_SAFE_INTEGER, 4_294_967_296_000, 0.5),
)
const Whose = fc.record(
  {
    agent: fc.constantFrom("default", "nobody", ""),
    sender: fc.record({ channel: Text, account: Text, peer: Text }),
    session_key: Text,
  },
  { requiredKeys: [] },
)
const Filter = fc.record(
  {
    kinds: fc.array(fc.constantFrom("message", "fact", "note", "nothing"), { maxLength: 3 }),
    tags: fc.array(Text, { maxLength: 3 }),
    after_ms: Number_,
    before_ms: Number_,
    limit: fc.oneof(fc.integer({ min: 1, max: 200 }), Number_),
    cursor: Text,
  },
  { requiredKeys: [] },
)
const Time = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 2e9 }) },
  { weight: 1, arbitrary: Number_ },
)
const Line = fc.string({ unit: "binary", minLength: 1, maxLength: 30 })
const Row = fc.record(
  {
    agent: fc.constantFrom("default", "default", "default", "nobody"),
    kind: fc.constantFrom("message", "tool_result", "summary", "note", "note"),
    text: fc.oneof(Line, Text),
    created_ms: Time,
    sender: fc.constantFrom("ws:default:ann", "", "x"),
    tags: fc.array(Line, { maxLength: 3 }),
    used_ms: Time,
    nth: fc.constantFrom(0, 0, 1, 5),
    session: fc.record({ key: Line, created_ms: Time }),
    message: fc.record({ id: fc.integer({ min: 1 }), turn_id: Line }),
    vector: fc.oneof(Text, fc.constant(Buffer.from(new Float32Array(384)).toString("base64"))),
  },
  { requiredKeys: ["agent", "kind", "text", "created_ms"] },
)
const Fact = fc.record(
  {
    agent: fc.constant("default"),
    kind: fc.constantFrom("fact", "fact", "note"),
    text: Line,
    created_ms: Time,
    namespace: fc.constantFrom("", "team"),
    fact: fc.record(
      {
        ...{ subject: Line, predicate: Line, object: Text, uid: Line, key: Text, learned_ms: Time },
        ...{
          superseded_ms: Time,
          superseded_by: Line,
          disputes: Line,
          confidence: fc.double({ noNaN: true, min: 0, max: 1 }),
        },
      },
      { requiredKeys: ["subject", "predicate", "object"] },
    ),
  },
  { requiredKeys: ["agent", "kind", "text", "created_ms", "fact"] },
)
const Call = fc.oneof(
  fc.record({
    method: fc.constant("memory.search"),
    params: fc.tuple(Whose, Filter, fc.record({ query: Text })),
  }),
  fc.record({ method: fc.constant("memory.list"), params: fc.tuple(Whose, Filter) }),
  fc.record({ method: fc.constant("memory.add"), params: fc.tuple(Whose, fc.record({ text: Text })) }),
  fc.record({
    method: fc.constant("memory.forget"),
    params: fc.tuple(
      Whose,
      fc.record({ memory_ids: fc.array(fc.oneof(Text, fc.nat().map(String)), { maxLength: 4 }) }),
    ),
  }),
  fc.record({
    method: fc.constant("memory.import"),
    params: fc.tuple(fc.record({ rows: fc.array(fc.oneof(Row, Fact), { maxLength: 5 }) })),
  }),
  fc.record({
    method: fc.constant("memory.export"),
    params: fc.tuple(fc.record({ after: Text, limit: Number_, vectors: fc.boolean() }, { requiredKeys: [] })),
  }),
)

test("no request breaks it, and what is there is found after each of them", async () => {
  await ask(gateway, "memory.add", { text: "The boat is called Albatross" })
  let taken = 0
  await fc.assert(
    fc.asyncProperty(Call, async ({ method, params }) => {
      const { result, error } = await call(gateway, method, Object.assign({}, ...params))
      expect([method, error?.data.code]).not.toEqual([method, "internal"])
      if (method === "memory.import" && result) taken += (result as { added: number }).added
    }),
    { numRuns: 200 },
  )
  // Or the rows were all refused, and nothing was tried.
  expect(taken).toBeGreaterThan(0)
  const { hits, searched } = await ask<{
    hits: { text: string }[]
    searched: { warnings: string[]; pending: number }
  }>(gateway, "memory.search", { query: "Albatross boat" })
  expect([hits[0]?.text, searched.warnings, searched.pending]).toEqual([
    "The boat is called Albatross",
    [],
    0,
  ])
  const { checks } = await ask<{ checks: { ok: boolean; said: string }[] }>(gateway, "memory.check")
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
}, 20_000)
