import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import fc from "fast-check"
import type { Turn } from "../../src/agent/turn.ts"
import { AppError } from "../../src/base/errors.ts"
import { type Prompt, toPrompt } from "../../src/providers/prompt.ts"
import type { ModelChunk } from "../../src/providers/provider.ts"
import { resetSession } from "../../src/store/sessions.ts"
import { defineTool } from "../../src/tools/tool.ts"
import { type Asked, done, failure, openHouse, partsOf, text, untilAborted, use } from "./scripted.ts"

/** What one model call does. */
const call = fc.constantFrom(
  "answer",
  "nothing",
  "fail",
  "ours",
  "both",
  "theirs",
  "unknown",
  "abort",
  "length",
)
type Call = "answer" | "nothing" | "fail" | "ours" | "both" | "theirs" | "unknown" | "abort" | "length"
type Step = { calls: Call[] } | { results: Call[] } | "reset"
const calls = fc.array(call, { minLength: 1, maxLength: 3 }) as fc.Arbitrary<Call[]>
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ calls }) },
  { weight: 3, arbitrary: fc.record({ results: calls }) },
  { weight: 1, arbitrary: fc.constant("reset" as const) },
)

const ours = defineTool({
  ...{ name: "ours", description: "Ours.", effect: "none", params: Type.Object({}) },
  run: () => "seen",
})
const theirs = { name: "theirs", description: "", input_schema: Type.Object({}) }

/** What every API asks of a conversation: turns alternate, and each call is followed by its result. */
function expectWellFormed(prompt: Prompt): void {
  const roles = prompt.map(({ role }) => role)
  expect(roles[0]).toBe("user")
  expect(["user", "tool"]).toContain(roles.at(-1)!)
  expect(roles.some((role, i) => role === roles[i - 1])).toBe(false)
  for (const [i, message] of prompt.entries()) {
    if (message.role === "system") continue
    expect(message.content.length).toBeGreaterThan(0)
    const made = message.role === "assistant" ? message.content : []
    const ids = made.flatMap((part) => (part.type === "tool-call" ? [part.toolCallId] : []))
    const next = prompt[i + 1]
    const answers = next?.role === "tool" ? next.content : []
    const answered = answers.flatMap((part) => (part.type === "tool-result" ? [part.toolCallId] : []))
    expect(answered).toEqual(ids)
    if (message.role === "tool") expect(roles[i - 1]).toBe("assistant")
  }
}

const promptOf = (asked: Asked): Promise<Prompt> =>
  toPrompt(
    { ...asked, readFile: () => Promise.reject(new Error("no files")), signal: new AbortController().signal },
    { provider: "one", takes: () => false, reasoning_back: true, result_images: "nowhere" },
  )

test("whatever became of the turns before, the next request is well formed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), fc.nat(3), async (steps, window) => {
      let script: Call[] = []
      let ids = 0
      let running: Turn | undefined
      let pending: string[] = []
      const models = async function* (
        _asked: Asked,
        _n: number,
        signal: AbortSignal,
      ): AsyncGenerator<ModelChunk> {
        const next = script.shift() ?? "answer"
        const id = () => `id${ids++}`
        if (next === "fail") throw failure()
        if (next !== "nothing") yield text("words ")
        if (next === "abort") {
          running?.abort(new AppError("aborted"))
          await untilAborted(signal)
        }
        if (next === "ours" || next === "both") yield use("ours", {}, id())
        if (next === "unknown") yield use("unknown", "{", id())
        if (next === "theirs" || next === "both") {
          pending = [id(), id()]
          yield* pending.map((one) => use("theirs", {}, one))
        }
        yield done(next === "length" ? "length" : "end")
      }
      await using house = await openHouse({ script: models, tools: [ours], window })
      for (const one of steps) {
        if (one === "reset") {
          const row = house.store.db.query("SELECT id FROM session").get() as { id: number } | null
          if (row) await house.store.commit((db) => resetSession(db, row.id))
          continue
        }
        const more = { client_tools: [theirs], session: partsOf("main") }
        if ("calls" in one) {
          script = [...one.calls]
          running = house.turns.submit(house.request("question", more))
        } else {
          script = [...one.results]
          const parts = (pending.length > 0 ? pending : ["never made"]).map((id) => ({
            ...{ type: "tool_result" as const, id, name: "", content: "theirs", is_error: false },
          }))
          running = house.turns.submit({ ...house.request("", more), parts, role: "tool" })
        }
        await running.outcome
      }
      for (const asked of house.models.asked) expectWellFormed(await promptOf(asked))
      expect(house.logged).toEqual([])
    }),
    { numRuns: 150 },
  )
}, 30_000)
