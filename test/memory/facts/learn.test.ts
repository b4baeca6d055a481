import type { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import fc from "fast-check"
import { toSessionKey } from "../../../src/base/session-key.ts"
import { extractFacts } from "../../../src/memory/facts/extract.ts"
import type { FoundFact } from "../../../src/memory/facts/fact.ts"
import { learnFacts } from "../../../src/memory/facts/learn.ts"
import { toWords } from "../../../src/memory/text/fold.ts"
import { getMemories, type MemorySource, removeMemories, takeOwner } from "../../../src/store/memory.ts"
import { addMessage } from "../../../src/store/messages.ts"
import { openStore } from "../../../src/store/open.ts"
import { deleteSession, touchSession } from "../../../src/store/sessions.ts"
import { disputesOf, factsOf, historyOf } from "./stored.ts"

const hour_ms = 3_600_000

/** A sender with an agent, and what he says in his sessions. */
function startTalk(db: Database) {
  const owner_id = takeOwner(db, { agent: "default", sender: "ws:default:main", namespace: "" })
  const sessionOf = (peer: string) => {
    const parts = { agent: "default", channel: "ws", account: "default", peer }
    return touchSession(db, toSessionKey(parts), parts, 1)
  }
  const learn = (found: FoundFact[], now_ms: number, peer = "a", source: MemorySource = "conversation") => {
    const { id } = sessionOf(peer)
    const parts = [{ type: "text" as const, text: "said" }]
    const message_id = addMessage(db, id, { turn_id: "t", role: "user", parts, created_ms: now_ms })
    return learnFacts(db, { owner_id, session_id: id, message_id, found, source, now_ms })
  }
  const say = (text: string, now_ms: number, peer = "a") =>
    learn(extractFacts(text, { said_ms: now_ms }), now_ms, peer).map(({ outcome }) => outcome)
  const facts = (include_superseded = false) =>
    (include_superseded ? historyOf : factsOf)(db, owner_id).map(
      ({ subject, predicate, object }) => `${subject}'s ${predicate}: ${object}`,
    )
  const disputes = () => disputesOf(db, owner_id).map(({ newer, older }) => [newer.object, older.object])
  return { owner_id, sessionOf, learn, say, facts, disputes }
}

test("a fact is a row of memory that is found by its own words and by the sentence's", async () => {
  await using store = openStore(":memory:")
  const { say, owner_id } = startTalk(store.db)
  say("Mi hermana vive en Rosario.", 5)
  const [fact] = factsOf(store.db, owner_id)
  expect(getMemories(store.db, [fact!.memory_id])[0]).toMatchObject({
    kind: "fact",
    text: "sister's location: Rosario",
    message_id: null,
    source: "conversation",
    session_key: "default:ws:default:a",
  })
  const find = (text: string) =>
    store.db
      .query("SELECT rowid FROM memory_fts WHERE memory_fts MATCH ?")
      .all(`"${toWords(text).split(" ")[0]}"`)
  expect(find("hermana")).toHaveLength(1)
  expect(find("sister")).toHaveLength(1)
  expect(find("Rosario")).toHaveLength(1)
})

test("the same once more doubles nothing, and is later and surer", async () => {
  await using store = openStore(":memory:")
  const { say, learn, facts, owner_id } = startTalk(store.db)
  const [found] = extractFacts("I live in Bonn.", { said_ms: 1 })
  learn([{ ...found!, confidence: 0.5 }], 10)
  expect(say("I live in BONN!", 20, "b")).toEqual(["known"])
  expect(say("I live in Bonn.", 15)).toEqual(["known"])
  expect(facts(true)).toEqual(["user's location: Bonn"])
  expect(factsOf(store.db, owner_id)[0]).toMatchObject({
    confidence: 0.85,
    learned_ms: 20,
  })
})

test("a new value supersedes, and the old one is there when it is asked for", async () => {
  await using store = openStore(":memory:")
  const { say, facts, owner_id } = startTalk(store.db)
  say("I live in Bonn.", 10)
  expect(say("We moved to Kiel.", 100 * hour_ms, "b")).toEqual(["superseding"])
  expect(facts()).toEqual(["user's location: Kiel"])
  expect(facts(true)).toEqual(["user's location: Bonn", "user's location: Kiel"])
  const [bonn, kiel] = historyOf(store.db, owner_id)
  expect(bonn).toMatchObject({ superseded_ms: 100 * hour_ms, superseded_by: kiel!.uid })
})

test("what somebody has several of accumulates", async () => {
  await using store = openStore(":memory:")
  const { say, facts } = startTalk(store.db)
  say("I'm allergic to peanuts.", 1)
  say("I'm allergic to latex.", 2)
  expect(facts()).toEqual(["user's allergy: peanuts", "user's allergy: latex"])
})

test("what is no longer so ends, and nothing takes its place", async () => {
  await using store = openStore(":memory:")
  const { say, facts } = startTalk(store.db)
  say("I work for Acme Tooling.", 1)
  expect(say("I've left Acme.", 2)).toEqual(["ended"])
  expect(facts()).toEqual([])
  expect(facts(true)).toEqual(["user's employer: Acme Tooling"])
  expect(say("I've left Globex.", 3)).toEqual([])
  expect(say("I start at Norsk Hydraulics on Monday.", 4)).toEqual(["new"])
})

test("what moves in time goes to what was last spoken of", async () => {
  await using store = openStore(":memory:")
  const { say, facts } = startTalk(store.db)
  say("The grant application is due on 14 February.", 1)
  say("They've moved it, we have until 3 March now.", 2)
  expect(facts()).toEqual(["grant application's deadline: 3 March"])
  say("We have until 5 May now.", 3, "other")
  expect(facts()).toEqual(["grant application's deadline: 3 March", "user's deadline: 5 May"])
})

const dispute = (say: (text: string, now_ms: number, peer?: string) => string[]) => {
  say("I live in Bonn.", 10)
  return say("I live in Kiel.", 48 * hour_ms, "b")
}

test("two facts of weight that cannot both be so stay until the user says which", async () => {
  await using store = openStore(":memory:")
  const { say, facts, disputes } = startTalk(store.db)
  expect(dispute(say)).toEqual(["disputed"])
  expect(facts()).toEqual(["user's location: Bonn", "user's location: Kiel"])
  expect(disputes()).toEqual([["Kiel", "Bonn"]])
})

test.each([
  ["the older one again", "I live in Bonn.", ["known"], ["Bonn"]],
  ["the newer one again", "I live in Kiel.", ["known"], ["Kiel"]],
  ["a third one", "I live in Ulm.", ["superseding"], ["Ulm"]],
  ["a move", "I moved to Ulm.", ["superseding"], ["Ulm"]],
  ["that one ended", "I no longer live in Bonn.", ["ended"], ["Kiel"]],
] as const)("a dispute is settled by %s", async (_, text, outcomes, left) => {
  await using store = openStore(":memory:")
  const { say, facts, disputes } = startTalk(store.db)
  dispute(say)
  expect(say(text, 50 * hour_ms, "c")).toEqual([...outcomes])
  expect(facts()).toEqual(left.map((object) => `user's location: ${object}`))
  expect(disputes()).toEqual([])
})

test.each(["Bonn", "Kiel"])("a dispute is settled by forgetting %s", async (object) => {
  await using store = openStore(":memory:")
  const { say, facts, disputes, owner_id } = startTalk(store.db)
  dispute(say)
  const fact = factsOf(store.db, owner_id).find((one) => one.object === object)
  expect(removeMemories(store.db, [fact!.memory_id])).toBe(1)
  expect(facts()).toHaveLength(1)
  expect(disputes()).toEqual([])
})

test("a row that is removed by other ways leaves no dispute behind", async () => {
  await using store = openStore(":memory:")
  const { say, disputes, owner_id } = startTalk(store.db)
  dispute(say)
  const facts = factsOf(store.db, owner_id)
  removeMemories(store.db, [facts.find(({ object }) => object === "Bonn")!.memory_id])
  expect(disputes()).toEqual([])
  expect(say("I live in Kiel.", 60 * hour_ms, "c")).toEqual(["known"])
})

test.each([
  ["it is a correction in the same talk", "I live in Bonn.", "I live in Kiel.", hour_ms, "a"],
  ["it is said as new", "I live in Bonn.", "I live in Kiel now.", 48 * hour_ms, "b"],
  ["it only says more", "I work at Acme.", "I work at Acme Tooling.", 48 * hour_ms, "b"],
  ["it is of a kind that changes", "The budget is 500 euros.", "The budget is 700 euros.", 48 * hour_ms, "b"],
])("there is no dispute where %s", async (_, first, second, later_ms, peer) => {
  await using store = openStore(":memory:")
  const { say, disputes } = startTalk(store.db)
  say(first, 10)
  expect(say(second, 10 + later_ms, peer)).toEqual(["superseding"])
  expect(disputes()).toEqual([])
})

test("a weak fact disputes nothing", async () => {
  await using store = openStore(":memory:")
  const { say, learn, facts } = startTalk(store.db)
  const [found] = extractFacts("I live in Bonn.", { said_ms: 1 })
  learn([{ ...found!, confidence: 0.7 }], 10)
  expect(say("I live in Kiel.", 48 * hour_ms, "b")).toEqual(["superseding"])
  expect(facts()).toEqual(["user's location: Kiel"])
})

test("a model that reads the same message once more settles nothing and replaces nothing", async () => {
  await using store = openStore(":memory:")
  const { say, facts, disputes, owner_id, sessionOf } = startTalk(store.db)
  dispute(say)
  const newer = disputesOf(store.db, owner_id)[0]!.newer
  const told = { owner_id, session_id: sessionOf("b").id, message_id: newer.said_in, now_ms: 49 * hour_ms }
  const [kiel] = extractFacts("I live in Kiel.", { said_ms: 1 })
  const again = (object: string) =>
    learnFacts(store.db, { ...told, source: "model", found: [{ ...kiel!, object }] }).map(
      ({ outcome }) => outcome,
    )
  expect(again("Kiel")).toEqual(["known"])
  expect(again("Kiel-Gaarden or so")).toEqual([])
  expect(disputes()).toEqual([["Kiel", "Bonn"]])
  expect(facts()).toHaveLength(2)
})

test("a fact outlives its message, and goes with its session", async () => {
  await using store = openStore(":memory:")
  const { say, facts, owner_id, sessionOf } = startTalk(store.db)
  say("I live in Bonn.", 10)
  store.db.run("DELETE FROM message")
  expect(facts()).toEqual(["user's location: Bonn"])
  expect(factsOf(store.db, owner_id)[0]!.said_in).toBeNull()
  deleteSession(store.db, sessionOf("a"))
  expect(facts(true)).toEqual([])
  expect(store.db.query("SELECT count(*) AS n FROM fact").get()).toEqual({ n: 0 })
})

test("one owner's facts supersede and dispute no other's", async () => {
  await using store = openStore(":memory:")
  const { say, facts, sessionOf } = startTalk(store.db)
  say("I live in Bonn.", 10)
  const other = takeOwner(store.db, { agent: "default", sender: "ws:default:other", namespace: "" })
  const found = extractFacts("I moved to Kiel.", { said_ms: 1 })
  const told = { owner_id: other, session_id: sessionOf("o").id, message_id: null, source: "user" as const }
  expect(learnFacts(store.db, { ...told, found, now_ms: 20 })[0]!.outcome).toBe("new")
  expect(facts()).toEqual(["user's location: Bonn"])
  expect(factsOf(store.db, other)).toHaveLength(1)
})

const statement = fc.record({
  predicate: fc.constantFrom("location", "name", "likes", "budget"),
  object: fc.constantFrom("Bonn", "Kiel", "Ulm", "Ulm West"),
  confidence: fc.constantFrom(0.5, 0.75, 0.9),
  is_change: fc.boolean(),
  is_negated: fc.boolean(),
  peer: fc.constantFrom("a", "b"),
  after_ms: fc.constantFrom(1000, 30 * hour_ms),
})

test("whatever is said in whatever order: nothing is lost, and no more than two single values hold", async () => {
  await using store = openStore(":memory:")
  let run = 0
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 12 }), (said) => {
      const owner_id = takeOwner(store.db, { agent: "default", sender: `s${run++}`, namespace: "" })
      const parts = (peer: string) => ({ agent: "default", channel: "ws", account: "default", peer })
      let now_ms = 1
      const values = new Set<string>()
      for (const { peer, after_ms, is_change, is_negated, ...fact } of said) {
        now_ms += after_ms
        const session = touchSession(store.db, toSessionKey(parts(peer)), parts(peer), now_ms)
        const found = {
          ...{ type: "fact" as const, subject: "user", ...fact, start: 0, end: 1, said: "" },
          ...(is_change && { is_change }),
          ...(is_negated && { is_negated }),
        }
        learnFacts(store.db, {
          ...{
            owner_id,
            session_id: session.id,
            message_id: null,
            found: [found],
            source: "conversation",
            now_ms,
          },
        })
        if (!is_negated) values.add(`${fact.predicate} ${fact.object}`)
      }
      const all = historyOf(store.db, owner_id)
      expect(new Set(all.map(({ predicate, object }) => `${predicate} ${object}`))).toEqual(values)
      const current = factsOf(store.db, owner_id)
      for (const predicate of ["location", "name", "budget"]) {
        const holding = current.filter((fact) => fact.predicate === predicate)
        expect(holding.length).toBeLessThanOrEqual(predicate === "budget" ? 1 : 2)
        const disputed = holding.filter(({ disputes }) => disputes !== undefined)
        expect(disputed).toHaveLength(holding.length === 2 ? 1 : 0)
      }
      const likes = current.filter(({ predicate }) => predicate === "likes").map(({ object }) => object)
      expect(new Set(likes).size).toBe(likes.length)
    }),
    { numRuns: 150 },
  )
})
