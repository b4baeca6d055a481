import { expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import fc from "fast-check"
import type { Approval } from "../../src/agent/approvals.ts"
import { errors } from "../../src/base/errors.ts"
import type { Target } from "../../src/security/target.ts"
import { listToolCalls } from "../../src/store/tool-calls.ts"
import { type AnyTool, defineTool, type ToolContext, type ToolDef } from "../../src/tools/tool.ts"
import { temporaryFolder } from "../harness.ts"
import { done, type HouseOptions, openHouse, partsOf, text, use } from "./scripted.ts"

const Text = Type.Object({ text: Type.String({ default: "x" }) })
const target = (text: string, more: Partial<Target> = {}): Target => ({
  effect: "write",
  kind: "path",
  text,
  ...more,
})

const tool = (more: Partial<ToolDef<typeof Text>> = {}): AnyTool =>
  defineTool({
    name: "mark",
    description: "mark",
    effect: "write",
    params: Text,
    targets: ({ text }) => [target(text)],
    run: ({ text }) => `marked ${text}`,
    ...more,
  })

/** A turn in which the model makes these calls in one answer, and then ends. */
async function turnWith(calls: ReturnType<typeof use>[], options: Omit<HouseOptions, "script">) {
  const house = await openHouse({
    ...options,
    *script(_asked, call) {
      if (call === 0) yield* calls
      else yield text("over")
      yield done(call === 0 ? "tool_use" : "end")
    },
  })
  const turn = house.say("go")
  await turn.outcome
  const events = turn.log.entries.map(({ event }) => event)
  const results = events.flatMap((event) => (event.type === "tool_result" ? [event] : []))
  const rows = listToolCalls(house.store.db, { limit: 99 }).toReversed()
  return { house, events, results, rows, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

const allow = { permissions: { allow: ["write"], ask: [], deny: ["mark:secret"] }, tools: ["*"] }
const ask = { permissions: { allow: [], ask: ["write"], deny: [] }, tools: ["*"] }

test("the decision is on the disk before the effect, and how it went after it", async () => {
  const seen: unknown[] = []
  const options: HouseOptions = { config: allow }
  const look = tool({
    run: (_params, { agent }) => {
      seen.push(...listToolCalls(opened!.store.db, { agents: [agent], limit: 9 }))
      return "ok"
    },
  })
  let opened: Awaited<ReturnType<typeof openHouse>> | undefined
  opened = await openHouse({
    ...options,
    tools: [look],
    *script(_asked, call) {
      yield* call === 0 ? [use("mark", { text: "a" }), done("tool_use")] : [text("over"), done()]
    },
  })
  await using house = opened
  await house.say("go").outcome
  expect(seen).toMatchObject([
    { tool: "mark", verdict: "allow", outcome: null, targets: JSON.stringify([target("a")]) },
  ])
  expect(listToolCalls(house.store.db, { limit: 9 })).toMatchObject([
    { tool: "mark", verdict: "allow", decided_by: 'rule allow "write"', outcome: "ok", output_bytes: 2 },
  ])
})

test("what the rules deny does not run, is recorded, and the model is told why", async () => {
  let ran = 0
  const tools = [tool({ run: () => `${++ran}` })]
  await using turn = await turnWith([use("mark", { text: "secret" })], { config: allow, tools })
  expect(ran).toBe(0)
  expect(turn.results).toMatchObject([{ is_error: true }])
  expect(turn.results[0]!.content).toMatch(/^Denied: the rules do not allow: write secret/)
  expect(turn.rows).toMatchObject([{ verdict: "deny", outcome: "denied", decided_by: 'deny "mark:secret"' }])
})

test("where nobody can be asked, what asks is denied and recorded", async () => {
  await using turn = await turnWith([use("mark")], { config: ask, tools: [tool()] })
  expect(turn.results).toMatchObject([{ is_error: true }])
  expect(turn.rows).toMatchObject([{ verdict: "deny", outcome: "denied", decided_by: "nobody" }])
})

/** Somebody who answers as soon as he is asked. */
const answering = (decision: "allow" | "deny", before: (approval: Approval) => void = () => undefined) => {
  const options: HouseOptions["calls"] = (approvals) => ({
    isHeard: () => true,
    onRequested(approval) {
      before(approval)
      const { approval_id, hash } = approval
      void approvals().resolve({ approval_id, hash, decision, lasts: "once", by: "ann" })
    },
  })
  return options
}

test("what somebody allowed runs, and the record says who it was", async () => {
  const options = { config: ask, tools: [tool()], calls: answering("allow") }
  await using turn = await turnWith([use("mark", { text: "a" })], options)
  expect(turn.events.map(({ type }) => type)).toContain("approval")
  expect(turn.results).toMatchObject([{ content: "marked a", is_error: false }])
  expect(turn.rows).toMatchObject([{ verdict: "allow", decided_by: "ann", outcome: "ok" }])
})

test("what somebody refused does not run", async () => {
  const options = { config: ask, tools: [tool()], calls: answering("deny") }
  await using turn = await turnWith([use("mark", { text: "a" })], options)
  expect(turn.results).toMatchObject([{ content: "Denied: ann said no.", is_error: true }])
  expect(turn.rows).toMatchObject([{ verdict: "deny", decided_by: "ann", outcome: "denied" }])
})

test("an answer is void where what would run changed after it was shown", async () => {
  let sha256 = "as it was"
  let ran = 0
  const changing = tool({
    targets: ({ text }) => [target(text, { script: { path: "a.sh", sha256 } })],
    run: () => `${++ran}`,
  })
  const calls = answering("allow", () => {
    sha256 = "another"
  })
  await using turn = await turnWith([use("mark")], { config: ask, tools: [changing], calls })
  expect(ran).toBe(0)
  expect(turn.results[0]!.content).toContain("changed after it was shown")
  expect(turn.rows).toMatchObject([{ verdict: "deny", decided_by: "ann (void)", outcome: "denied" }])
})

test.each([
  ["what was asked about", "a", true],
  ["something else", "b", false],
])("a wall that asks for %s at the effect lets it pass: %p", async (_what, other, passes) => {
  const wandering = tool({ run: (_params, { mayTouch }) => `${mayTouch(target(other))}` })
  const options = { config: ask, tools: [wandering], calls: answering("allow") }
  await using turn = await turnWith([use("mark", { text: "a" })], options)
  expect(turn.results).toMatchObject([{ content: `${passes}` }])
})

test("a tool that says that it has no effect reaches nothing", async () => {
  const reach = (name: string, run: (context: ToolContext) => unknown) =>
    tool({ name, effect: "none", run: async (_params, context) => `${await run(context)}` })
  const signal = new AbortController().signal
  const program = { argv: ["/bin/true"], timeout_ms: 1, output_bytes_max: 1, signal }
  const tools = [
    reach("files", ({ files }) => files.read("a")),
    reach("fetch", ({ fetch }) => fetch({ url: "http://127.0.0.1/" })),
    reach("execute", ({ execute }) => execute(program)),
  ]
  await using turn = await turnWith(
    tools.map(({ name }) => use(name)),
    { config: { tools: ["*"] }, tools },
  )
  expect(turn.results.map(({ content }) => content)).toEqual(
    tools.map(() => "Denied: A tool that says that it has no effect reaches nothing."),
  )
})

/** Tells when each call began and ended. */
function timed() {
  const told: string[] = []
  const waiting = new Map<string, () => void>()
  const run: AnyTool["run"] = async ({ text }) => {
    told.push(`+${text}`)
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
    told.push(`-${text}`)
    return text
  }
  return { told, waiting, run }
}

test("calls of one answer run together, but for one that is exclusive", async () => {
  const { told, run } = timed()
  const free = tool({ name: "free", effect: "none", run })
  const alone = tool({ name: "alone", effect: "none", exclusive: true, run })
  const calls = ["a", "b", "C", "d", "e", "F", "G"].map((name) =>
    use(name === name.toUpperCase() ? "alone" : "free", { text: name }, name),
  )
  await using turn = await turnWith(calls, { config: { tools: ["*"] }, tools: [free, alone] })
  expect(told.join(" ")).toBe("+a +b -a -b +C -C +d +e -d -e +F -F +G -G")
  expect(turn.results.map(({ content }) => content).join("")).toBe("abCdeFG")
})

test("a model that asks for a hundred calls at once gets them some at a time", async () => {
  let running = 0
  let most = 0
  const busy = tool({
    ...{ name: "busy", effect: "none" },
    run: async ({ text }) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return text
    },
  })
  const calls = Array.from({ length: 100 }, (_, i) => use("busy", { text: `${i}` }, `c${i}`))
  await using turn = await turnWith(calls, { config: { tools: ["*"] }, tools: [busy] })
  expect(turn.results.map(({ content }) => content)).toEqual(calls.map((_, i) => `${i}`))
  expect(most).toBe(8)
})

test("a long result is stored whole, found again by its own session only, and read_result is offered", async () => {
  const whole = Array.from({ length: 20_000 }, (_, i) => `line ${i}`).join("\n")
  const big = tool({ name: "big", effect: "none", run: () => whole })
  const read = tool({
    ...{ name: "read_result", effect: "none", deferred: true },
    run: ({ text }, { findResult }) => findResult(text) ?? "nothing",
  })
  const asked: string[][] = []
  await using house = await openHouse({
    config: { tools: ["*"] },
    tools: [big, read],
    *script({ tools, messages }, call) {
      asked.push(tools.map(({ name }) => name))
      const handle = /handle "([^"]+)"/.exec(JSON.stringify(messages).replaceAll("\\", ""))?.[1] ?? ""
      const last = messages.at(-1)!.role
      if (call === 0) yield use("big")
      else if (last === "user" || asked.length === 2) yield use("read_result", { text: handle || kept })
      else yield text("over")
      kept ||= handle
      yield done(call < 2 || last === "user" ? "tool_use" : "end")
    },
  })
  let kept = ""
  const resultsOf = async (peer: string) => {
    const turn = house.say("go", {}, peer)
    await turn.outcome
    return turn.log.entries.flatMap(({ event }) => (event.type === "tool_result" ? [event.content] : []))
  }
  const [shown = "", again = ""] = await resultsOf("main")
  expect(Buffer.byteLength(shown)).toBeLessThan(17_000)
  expect(shown).toStartWith("line 0\nline 1\n")
  expect(shown).toEndWith("line 19999")
  // What read_result answers is as long, so it is cut in its turn.
  expect(again).toStartWith("line 0\nline 1\n")
  expect(asked.slice(0, 2)).toEqual([
    ["big", "use_tools"],
    ["big", "read_result"],
  ])
  expect(await resultsOf("other")).toEqual(["nothing"])
})

test("a long result is on the disk before the next call of its answer", async () => {
  let opened: Awaited<ReturnType<typeof openHouse>> | undefined
  const big = tool({ name: "big", effect: "none", exclusive: true, run: () => "x".repeat(100_000) })
  const look = tool({
    ...{ name: "look", effect: "none" },
    run: () => JSON.stringify(opened!.store.db.query("SELECT tool FROM tool_result").all()),
  })
  opened = await openHouse({
    ...{ config: { tools: ["*"] }, tools: [big, look] },
    *script(_asked, call) {
      yield* call === 0 ? [use("big"), use("look"), done("tool_use")] : [text("over"), done()]
    },
  })
  await using house = opened
  const turn = house.say("go")
  await turn.outcome
  const results = turn.log.entries.flatMap(({ event }) => (event.type === "tool_result" ? [event] : []))
  expect(results[1]!.content).toBe('[{"tool":"big"}]')
})

test("the tools of one turn cannot push the conversation out of the context", async () => {
  const config = { tools: ["*"] }
  const talk = tool({ name: "talk", effect: "none", run: () => "x".repeat(60_000) })
  const calls = Array.from({ length: 12 }, (_, i) => use("talk", {}, `c${i}`))
  await using turn = await turnWith(calls, { config, tools: [talk] })
  const bytes = turn.results.map(({ content }) => Buffer.byteLength(content))
  expect(bytes.slice(0, 4)).toEqual([60_000, 60_000, 60_000, 60_000])
  expect(bytes.reduce((sum, one) => sum + one)).toBeLessThan(262_144 + 12 * 1_300)
  expect(turn.results.at(-1)!.content).toContain("This turn's tools have said nearly all that they may.")
})

test("a call that makes no sense is recorded, and runs nothing", async () => {
  const tools = [tool()]
  await using turn = await turnWith([use("mark", { text: 1 }), use("none")], { config: allow, tools })
  expect(turn.results.map(({ content }) => content)).toEqual([
    "The input does not match the tool's schema at /text: Expected string. Correct it and call again.",
    'There is no tool "none". The tools are: mark.',
  ])
  expect(turn.rows).toMatchObject([
    { tool: "mark", verdict: "deny", decided_by: "not decided", outcome: "error" },
  ])
})

test("an abort takes the question back and is told to nobody as an answer", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  await using house = await openHouse({
    config: ask,
    tools: [tool()],
    calls: () => ({ isHeard: () => true, onRequested: () => resolve() }),
    *script() {
      yield use("mark")
      yield done("tool_use")
    },
  })
  const turn = house.say("go")
  await asked
  house.turns.abort({ session_key: partsOf("main").key })
  expect(await turn.outcome).toMatchObject({ result: { stop_reason: "aborted" } })
  expect(listToolCalls(house.store.db, { limit: 9 })).toMatchObject([{ outcome: "aborted" }])
})

test("an image that cannot be kept is one call's failure, and is recorded", async () => {
  const images = [{ bytes: new Uint8Array(1), mime: "image/png" }]
  const show = tool({ effect: "none", run: () => ({ text: "seen", images }) })
  const calls = [use("mark", {}, "a"), use("mark", {}, "b")]
  await using turn = await turnWith(calls, { config: { tools: ["*"] }, tools: [show] })
  expect(turn.events.at(-1)).toMatchObject({ type: "done", stop_reason: "end" })
  expect(turn.results).toMatchObject([{ is_error: true }, { is_error: true }])
  expect(turn.rows.map(({ outcome }) => outcome)).toEqual(["error", "error"])
})

test.each([
  ["throws what no tool means to say", () => (undefined as unknown as string).slice()],
  ["throws what the system says", () => readFileSync("/nonexistent/token", "utf8")],
  ["says nothing", () => undefined as unknown as string],
])("a tool that %s fails, and the model is not told more", async (_what, run) => {
  await using turn = await turnWith([use("mark")], {
    config: { tools: ["*"] },
    tools: [tool({ effect: "none", run })],
  })
  expect(turn.results).toMatchObject([{ content: errors.internal.message, is_error: true }])
  expect(turn.house.logged).toHaveLength(1)
})

test("what a tool goes on with after an abort has no effect", async () => {
  await using folder = await temporaryFolder()
  const [begun, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { promise: ended, resolve: end } = Promise.withResolvers<unknown>()
  const slow = tool({
    async run(_params, { files }) {
      begun.resolve()
      await stopped.promise
      await files.write("a", new Uint8Array(1)).then(end, end)
      return ""
    },
  })
  await using house = await openHouse({
    ...{ folder: folder.path, config: allow, tools: [slow] },
    *script() {
      yield use("mark", { text: "a" })
      yield done("tool_use")
    },
  })
  const turn = house.say("go")
  await begun.promise
  house.turns.abort({ session_key: partsOf("main").key })
  await turn.outcome
  stopped.resolve()
  expect(await ended).toMatchObject({ message: "The call is over." })
  expect(existsSync(join(folder.path, "agents/default/workspace/a"))).toBe(false)
})

test("nothing runs while a call is looked at", async () => {
  await using folder = await temporaryFolder()
  const hasty = tool({
    async targets(_params, { execute, signal }) {
      await execute({ argv: ["/bin/true"], timeout_ms: 5_000, output_bytes_max: 1, signal })
      return []
    },
  })
  const options = { config: allow, tools: [hasty], folder: folder.path }
  await using turn = await turnWith([use("mark")], options)
  expect(turn.results[0]!.content).toBe("Denied: Nothing is done before it is decided.")
})

test("the images of one turn cannot outgrow what a provider takes", async () => {
  const images = [{ bytes: new Uint8Array(5 << 20), mime: "image/png" }]
  const show = tool({ effect: "none", run: () => ({ text: "seen", images }) })
  const calls = Array.from({ length: 4 }, (_, i) => use("mark", {}, `c${i}`))
  const options = { config: { tools: ["*"] }, tools: [show], keepImage: async () => kept }
  const kept = { file_id: "f", mime: "image/png" }
  await using turn = await turnWith(calls, options)
  const said = turn.results.map(({ content }) => content)
  expect(said).toEqual(["seen", "seen", "seen", "This turn's tools have shown all the images that they may."])
  const { messages } = turn.house.models.asked[1]!
  expect(messages.at(-1)!.parts.filter((part) => "images" in part)).toHaveLength(3)
})

test("what is allowed for longer to a tool that says nothing of what it does holds for that input", async () => {
  let asked = 0
  const vague = defineTool({ ...tool(), effect: "send", targets: undefined as never })
  const calls: HouseOptions["calls"] = (approvals) => ({
    isHeard: () => true,
    onRequested({ approval_id, hash }) {
      asked++
      void approvals().resolve({ approval_id, hash, decision: "allow", lasts: "always", by: "ann" })
    },
  })
  const config = { permissions: { ask: ["send"] }, tools: ["*"] }
  const uses = ["a", "a", "b"].map((text, i) => use("mark", { text }, `c${i}`))
  await using turn = await turnWith(uses, { config, tools: [{ ...vague, exclusive: true }], calls })
  expect(turn.results.map(({ content }) => content)).toEqual(["marked a", "marked a", "marked b"])
  expect(asked).toBe(2)
})

test("of two hundred calls of any kind each has one record, and each effect had it before", async () => {
  const kinds = ["allowed", "secret", "asked", "failing", "unknown", "wrong"] as const
  const any = fc.array(fc.constantFrom(...kinds), { minLength: 200, maxLength: 200 })
  const [wanted = []] = fc.sample(any, 1)
  const effects: unknown[] = []
  let house: Awaited<ReturnType<typeof openHouse>> | undefined
  const marking = (name: string, fail = false) =>
    tool({
      name,
      run: ({ text }) => {
        const row = listToolCalls(house!.store.db, { limit: 500 }).find(({ targets }) =>
          targets.includes(`"${text}"`),
        )
        effects.push([row?.verdict, row?.outcome])
        if (fail) throw new Error("it went wrong")
        return text
      },
    })
  const calls = wanted.map((kind, i) => {
    if (kind === "unknown") return use("nobody", {}, `c${i}`)
    if (kind === "wrong") return use("mark", { text: 1 }, `c${i}`)
    const name = kind === "failing" ? "fail" : kind === "asked" ? "other" : "mark"
    return use(name, { text: kind === "secret" ? "secret" : `x${i}x` }, `c${i}`)
  })
  house = await openHouse({
    config: {
      permissions: { allow: ["mark", "fail"], ask: ["write"], deny: ["mark:secret"] },
      tools: ["*"],
    },
    tools: [marking("mark"), marking("fail", true), marking("other")],
    *script(_asked, call) {
      yield* call === 0 ? [...calls, done("tool_use")] : [text("over"), done()]
    },
  })
  await using _house = house
  await house.say("go").outcome
  const rows = listToolCalls(house.store.db, { limit: 500 })
  const count = (kind: (typeof kinds)[number]) => wanted.filter((one) => one === kind).length
  const tally = Object.fromEntries(
    ["ok", "error", "denied"].map((outcome) => [
      outcome,
      rows.filter((row) => row.outcome === outcome).length,
    ]),
  )
  expect(tally).toEqual({
    ok: count("allowed"),
    error: count("failing") + count("wrong"),
    denied: count("secret") + count("asked"),
  })
  expect(rows).toHaveLength(200 - count("unknown"))
  expect(effects).toEqual(effects.map(() => ["allow", null]))
  expect(effects).toHaveLength(count("allowed") + count("failing"))
})
