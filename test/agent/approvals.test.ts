import { expect, test } from "bun:test"
import { type Approval, type Asking, openApprovals } from "../../src/agent/approvals.ts"
import { AppError } from "../../src/base/errors.ts"
import { parser } from "../../src/base/schema.ts"
import type { Target } from "../../src/security/target.ts"
import { openStore, type Store } from "../../src/store/open.ts"
import { toolsSection } from "../../src/tools/config.ts"

const push: Target = { effect: "execute", kind: "program", text: "git push", words: ["/usr/bin/git", "push"] }
const asking: Asking = {
  agent: "default",
  session_key: "default:ws:default:main",
  turn_id: "t1",
  tool: "exec",
  targets: [push],
  input: { command: "git push" },
}

type Options = { heard: boolean; timeout_ms: number } & Pick<Store, "commit">

function open({ heard = true, timeout_ms = 60_000, ...more }: Partial<Options> = {}) {
  const store = { ...openStore(":memory:"), ...more }
  const told: string[] = []
  const approvals = openApprovals({
    store,
    now_ms: Date.now,
    timeout_ms: () => timeout_ms,
    isHeard: (agent) => heard && agent === "default",
    onRequested: ({ tool }) => void told.push(`requested ${tool}`),
    onResolved: (_approval, { decision, by, lasts }) => void told.push(`${decision} by ${by}, ${lasts}`),
  })
  /** Asks, and answers what waits and how it will be decided. */
  const ask = (more: Partial<Asking> = {}, signal = new AbortController().signal) => {
    const { promise, resolve } = Promise.withResolvers<Approval>()
    const decided = approvals.ask({ ...asking, ...more }, signal, resolve)
    return { decided, shown: promise }
  }
  return { approvals, told, ask, store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (thrown) => (thrown as AppError).code,
  )

test("nobody to ask means deny, at once", async () => {
  await using house = open({ heard: false })
  expect(await house.ask().decided).toMatchObject({ decision: "deny", by: "nobody" })
  expect([house.told, house.approvals.list()]).toEqual([[], []])
})

test("an answer never given is a denial", async () => {
  await using house = open({ timeout_ms: 1 })
  expect(await house.ask().decided).toMatchObject({ decision: "deny", by: "time" })
  expect([house.told, house.approvals.list()]).toEqual([["requested exec", "deny by time, once"], []])
})

test("a time that no timer can be set for is no valid one: it would be over at once", () => {
  const parse = parser(toolsSection.schema)
  expect(parse({ approval_timeout_ms: 2 ** 31 - 1 }).approval_timeout_ms).toBe(2 ** 31 - 1)
  expect(() => parse({ approval_timeout_ms: 2 ** 31 })).toThrow()
})

test("what waits is shown whole, and the answer decides", async () => {
  await using house = open()
  const { decided, shown } = house.ask()
  const { approval_id, hash, summary } = await shown
  expect(summary).toBe('exec of the agent "default" would\n- execute git push\n  command = git push')
  expect(house.approvals.list().map((one) => one.approval_id)).toEqual([approval_id])
  await house.approvals.resolve({ approval_id, hash, decision: "allow", lasts: "once", by: "ann" })
  expect(await decided).toEqual({ decision: "allow", by: "ann" })
  expect(house.approvals.list()).toEqual([])
})

test("an answer to another hash decides nothing, and it goes on waiting", async () => {
  await using house = open()
  const { decided, shown } = house.ask()
  const { approval_id, hash } = await shown
  const answer = { approval_id, decision: "allow", lasts: "once", by: "ann" } as const
  expect(await codeOf(house.approvals.resolve({ ...answer, hash: "0".repeat(64) }))).toBe("conflict")
  await house.approvals.resolve({ ...answer, hash, decision: "deny" })
  expect(await decided).toEqual({ decision: "deny", by: "ann", reason: "ann said no." })
})

test.each(["once", "session", "always"] as const)(
  "of two answers at once (%s) exactly one counts",
  async (lasts) => {
    await using house = open()
    const { decided, shown } = house.ask()
    const { approval_id, hash } = await shown
    const answer = (by: string, decision: "allow" | "deny") =>
      codeOf(house.approvals.resolve({ approval_id, hash, decision, lasts, by }))
    const codes = await Promise.all([answer("ann", "allow"), answer("bob", "deny"), answer("eve", "allow")])
    expect(codes).toEqual(["done", "not_found", "not_found"])
    expect(await decided).toEqual({ decision: "allow", by: "ann" })
  },
)

test("an answer after the time or to what was never asked is refused", async () => {
  await using house = open({ timeout_ms: 1 })
  const { decided, shown } = house.ask()
  const { approval_id, hash } = await shown
  await decided
  const answer = { approval_id, hash, decision: "allow", lasts: "always", by: "ann" } as const
  expect(await codeOf(house.approvals.resolve(answer))).toBe("not_found")
  expect(house.approvals.grants()).toEqual([])
})

test("whoever stops the turn takes the question back", async () => {
  await using house = open()
  const stop = new AbortController()
  const { decided, shown } = house.ask({}, stop.signal)
  await shown
  stop.abort(new AppError("aborted"))
  expect(await codeOf(decided)).toBe("aborted")
  expect([house.approvals.list(), house.told.at(-1)]).toEqual([[], "deny by stop, once"])
})

/** What the store is asked to write waits until it is let go on. */
function openSlow(timeout_ms?: number) {
  const { promise: written, resolve: write, reject: fail } = Promise.withResolvers<never>()
  const house = open({ commit: () => written, ...(timeout_ms && { timeout_ms }) })
  return { ...house, write: write as () => void, fail }
}

test("a turn that is stopped while the answer is written ends the question once", async () => {
  await using house = openSlow()
  const stop = new AbortController()
  const { decided, shown } = house.ask({}, stop.signal)
  const { approval_id, hash } = await shown
  const answer = { approval_id, hash, decision: "allow", lasts: "always", by: "ann" } as const
  const answered = house.approvals.resolve(answer)
  stop.abort(new AppError("aborted"))
  expect(await codeOf(decided)).toBe("aborted")
  house.write()
  await answered
  expect(house.told.slice(1)).toEqual(["deny by stop, once"])
  expect(house.approvals.list()).toEqual([])
})

test("an answer that cannot be written denies, and nothing is left waiting", async () => {
  await using house = openSlow()
  const { decided, shown } = house.ask()
  const { approval_id, hash } = await shown
  const answer = { approval_id, hash, decision: "allow", lasts: "always", by: "ann" } as const
  const answered = codeOf(house.approvals.resolve(answer))
  house.fail(new AppError("storage_failed"))
  expect(await answered).toBe("storage_failed")
  expect(await decided).toMatchObject({ decision: "deny", by: "storage" })
  expect(house.approvals.list()).toEqual([])
})

test("an answer in time counts, however long it is written", async () => {
  await using house = openSlow(1)
  const { decided, shown } = house.ask()
  const { approval_id, hash } = await shown
  const answer = { approval_id, hash, decision: "allow", lasts: "always", by: "ann" } as const
  const answered = house.approvals.resolve(answer)
  // A timer that is set later comes later.
  await new Promise((resolve) => setTimeout(resolve, 1))
  house.write()
  await answered
  expect(await decided).toMatchObject({ decision: "allow", by: "ann" })
})

const elsewhere = { session_key: "default:ws:default:other" }
const other_words = { targets: [{ ...push, text: "git push --force" }] }
const changed_script = { targets: [{ ...push, script: { path: "a.sh", sha256: "1" } }] }

test.each([
  ["once", {}, false],
  ["session", {}, true],
  ["session", elsewhere, false],
  ["session", other_words, false],
  ["always", {}, true],
  ["always", elsewhere, true],
  ["always", other_words, false],
  ["always", changed_script, false],
  ["always", { tool: "other" }, false],
  ["always", { agent: "work" }, false],
] as const)("what is allowed %s holds for %j: %p", async (lasts, more, holds) => {
  await using house = open()
  const { decided, shown } = house.ask()
  const { approval_id, hash } = await shown
  await house.approvals.resolve({ approval_id, hash, decision: "allow", lasts, by: "ann" })
  await decided
  const grant = house.approvals.findGrant({ ...asking, ...more } as Asking)
  expect(grant !== undefined).toBe(holds)
  if (grant) await house.approvals.revoke(grant.grant_id)
  expect(house.approvals.findGrant({ ...asking, ...more } as Asking)).toBeUndefined()
})

test("an answer for the session to what was asked outside of one holds once", async () => {
  await using house = open()
  const { decided, shown } = house.ask({ session_key: null })
  const { approval_id, hash } = await shown
  await house.approvals.resolve({ approval_id, hash, decision: "allow", lasts: "session", by: "ann" })
  expect(await decided).toMatchObject({ decision: "allow" })
  expect(house.approvals.grants()).toEqual([])
})

test("a denial is never remembered, whatever it was said to last", async () => {
  await using house = open()
  const { decided, shown } = house.ask()
  const { approval_id, hash } = await shown
  await house.approvals.resolve({ approval_id, hash, decision: "deny", lasts: "always", by: "ann" })
  await decided
  expect(house.approvals.grants()).toEqual([])
})

test("what would be hidden is shown, and nothing is cut", async () => {
  await using house = open()
  const text = `${"x".repeat(10_000)}\u001b[2K\u202E; rm -rf /`
  const { shown, decided } = house.ask({
    targets: [{ ...push, text, note: "two\nlines" }],
    input: { command: text },
  })
  const { summary, approval_id, hash } = await shown
  expect(summary).toContain(`${"x".repeat(10_000)}\\u{1b}[2K\\u{202e}; rm -rf /`)
  expect(summary).toContain("two\\nlines")
  for (const hidden of ["\u001b", "\u202e"]) expect(summary).not.toContain(hidden)
  await house.approvals.resolve({ approval_id, hash, decision: "deny", lasts: "once", by: "ann" })
  await decided
})

test("what is too long to be shown whole is denied and asks nobody", async () => {
  await using house = open()
  const input = { content: "x".repeat(300_000) }
  expect(await house.ask({ input }).decided).toMatchObject({ decision: "deny", by: "size" })
  expect(house.told).toEqual([])
})
