import { expect, test } from "bun:test"
import { openLog } from "../../../src/base/log.ts"
import { toSessionKey } from "../../../src/base/session-key.ts"
import { type LearnerDeps, openLearner } from "../../../src/memory/facts/learner.ts"
import { listOwners } from "../../../src/store/memory.ts"
import { addMessage } from "../../../src/store/messages.ts"
import { openStore, type Store } from "../../../src/store/open.ts"
import { deleteSession, touchSession } from "../../../src/store/sessions.ts"
import { factsOf } from "./stored.ts"

type Answer = string | undefined | Error

/** A learner whose model gives these answers, and what it was asked. */
function start(
  store: Store,
  answers: Answer[],
  config: Partial<ReturnType<LearnerDeps["settings"]>["config"]> = {},
) {
  const asked: string[] = []
  const clock = { now_ms: 1_000 }
  const ask: ReturnType<LearnerDeps["settings"]>["ask"] = async (_agent, { user }) => {
    asked.push(user)
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer === undefined ? undefined : { text: answer }
  }
  const [chore] = openLearner({
    ...{
      store,
      log: openLog("error", () => undefined),
      now_ms: () => clock.now_ms,
      signal: new AbortController().signal,
    },
    settings: () => ({ config: { semantic_enabled: true, learn_from: "model", ...config }, ask }),
  })
  const say = (peer: string, text: string, role: "user" | "assistant" = "user") => {
    const parts = { agent: "default", channel: "ws", account: "default", peer }
    const session = touchSession(store.db, toSessionKey(parts), parts, 1)
    const said = { turn_id: "t", role, parts: [{ type: "text" as const, text }], created_ms: 1 }
    addMessage(store.db, session.id, said)
    return session
  }
  const facts = () =>
    listOwners(store.db)
      .flatMap(({ id }) => factsOf(store.db, id))
      .toSorted((a, b) => b.memory_id - a.memory_id)
      .map(({ subject, predicate, object, source }) => `${source}: ${subject}'s ${predicate}: ${object}`)
  return { step: () => chore!.step(), say, facts, asked, clock }
}

const line = (object: string, message = 1) =>
  JSON.stringify({ message, subject: "user", predicate: "likes", object, confidence: 0.8 })

test("only what is said from then on is read, by user and session, and once", async () => {
  await using store = openStore(":memory:")
  start(store, []).say("a", "Old: I fancy rum")
  const { step, say, facts, asked } = start(store, [`${line("tea")}\n${line("jazz", 2)}`, line("figs")])
  expect([await step(), await step()]).toEqual([true, false])
  say("a", "I fancy tea")
  say("a", "You fancy rum", "assistant")
  say("a", "I fancy jazz")
  say("b", "I fancy figs")
  expect([await step(), await step(), await step()]).toEqual([true, true, false])
  expect(asked).toHaveLength(2)
  expect(asked.join()).not.toContain("rum")
  expect(facts().sort()).toEqual([
    "model: user's likes: figs",
    "model: user's likes: jazz",
    "model: user's likes: tea",
  ])
})

test.each([{ learn_from: "patterns" }, { learn_from: "none" }, { semantic_enabled: false }] as const)(
  "no model is asked with %p",
  async (config) => {
    await using store = openStore(":memory:")
    const { step, say, asked } = start(store, [], config)
    say("a", "one")
    await step()
    say("a", "two")
    expect(await step()).toBe(false)
    expect(asked).toEqual([])
  },
)

test("an agent without a model is passed over", async () => {
  await using store = openStore(":memory:")
  const { step, say, facts } = start(store, [undefined])
  await step()
  say("a", "I fancy tea")
  expect([await step(), await step()]).toEqual([true, false])
  expect(facts()).toEqual([])
})

test("a model that fails is left alone for a while, and after three times these messages are", async () => {
  await using store = openStore(":memory:")
  const failed = new Error("no")
  const { step, say, asked, clock, facts } = start(store, [failed, failed, failed, line("figs")])
  await step()
  say("a", "I fancy tea")
  expect([await step(), await step()]).toEqual([false, false])
  expect(asked).toHaveLength(1)
  clock.now_ms += 31_000
  expect(await step()).toBe(false)
  clock.now_ms += 31_000
  expect(await step()).toBe(true)
  say("a", "I fancy figs")
  expect(await step()).toBe(true)
  expect(asked).toHaveLength(4)
  expect(facts()).toEqual(["model: user's likes: figs"])
})

test("what was deleted while the model was asked is not learnt", async () => {
  await using store = openStore(":memory:")
  const { step, say, facts } = start(store, [line("tea")])
  await step()
  const session = say("a", "I fancy tea")
  const stepping = step()
  deleteSession(store.db, session)
  expect(await stepping).toBe(true)
  expect(facts()).toEqual([])
})
