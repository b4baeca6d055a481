import { expect, test } from "bun:test"
import fc from "fast-check"
import { toSessionKey } from "../../src/base/session-key.ts"
import { addMessage, searchMessages } from "../../src/store/messages.ts"
import { openStore, type Store } from "../../src/store/open.ts"
import { deleteSession, findSession, touchSession } from "../../src/store/sessions.ts"

function say(store: Store, agent: string, text: string): number {
  const parts = { agent, channel: "ws", account: "default", peer: "main" }
  const { id } = touchSession(store.db, toSessionKey(parts), parts, 1)
  return addMessage(store.db, id, {
    turn_id: "t",
    role: "user",
    parts: [{ type: "text", text }],
    created_ms: 1,
  })
}

const snippets = (store: Store, query: string, agents?: string[]) =>
  searchMessages(store.db, { query, agents, limit: 50 }).map(({ snippet }) => snippet)

test("all words must occur, and the hit shows them", async () => {
  await using store = openStore(":memory:")
  const message_id = say(store, "default", "The quick brown fox")
  say(store, "default", "A brown bear")
  expect(searchMessages(store.db, { query: "FOX brown", limit: 9 })).toEqual([
    {
      ...{
        session_key: "default:ws:default:main",
        agent: "default",
        message_id,
        role: "user",
        created_ms: 1,
      },
      snippet: "The quick [brown] [fox]",
    },
  ])
  expect(snippets(store, "brown")).toHaveLength(2)
  expect(snippets(store, "brown wolf")).toEqual([])
})

test.each([
  ["cafe", "We met at the Café"],
  ["CAFÉ", "We met at the cafe"],
  ["cafe\u0301", "We met at the Café"],
  ["jalapeno", "two jalapeños and a jalapeño"],
  ["Ελλάδα", "η Ελλάδα"],
  ["C++", "written in C++"],
  ["don't", "I don't know"],
  ["snake_case", "a name in snake_case"],
])("%s finds %p", async (query, text) => {
  await using store = openStore(":memory:")
  say(store, "default", text)
  say(store, "default", "something else")
  expect(snippets(store, query)).toHaveLength(1)
})

test("a search sees only the agents that it is given", async () => {
  await using store = openStore(":memory:")
  say(store, "default", "a secret of one")
  say(store, "work", "a secret of the other")
  const seen = (agents?: string[]) => snippets(store, "secret", agents).length
  expect([seen(), seen(["work"]), seen(["work", "default"]), seen([]), seen(["none"])]).toEqual([
    2, 1, 2, 0, 0,
  ])
})

test("what is deleted is no longer found", async () => {
  await using store = openStore(":memory:")
  const message_id = say(store, "default", "to be forgotten")
  say(store, "default", "to be kept")
  say(store, "work", "to be deleted with its session")
  store.db.query("DELETE FROM message WHERE id = ?").run(message_id)
  deleteSession(store.db, findSession(store.db, "work:ws:default:main")!)
  expect(snippets(store, "be")).toEqual(["to [be] kept"])
  store.db.run("INSERT INTO message_fts (message_fts, rank) VALUES ('integrity-check', 1)")
})

test("quotes and operators of the index mean nothing", async () => {
  await using store = openStore(":memory:")
  say(store, "default", "red AND blue NOT green")
  expect(snippets(store, 'red AND "blue')).toHaveLength(1)
  expect(snippets(store, "red NOT blue")).toHaveLength(1)
  expect(snippets(store, "re*")).toEqual([])
  expect(snippets(store, "text:red")).toEqual([])
  expect(["", "  ", '"', "*", "()", "^", "-"].flatMap((query) => snippets(store, query))).toEqual([])
})

test("no query fails, and a message is found by its own words", async () => {
  await using store = openStore(":memory:")
  const query = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc
      .array(fc.constantFrom('"', "'", "*", "AND", "NEAR(", ")", "^", "a", "-", ":", "\0", "_", "\u0301"))
      .map((list) => list.join(" ")),
  )
  fc.assert(
    fc.property(query, (text) => {
      say(store, "default", text)
      searchMessages(store.db, { query: text, limit: 5 })
      // The index knows the letters of Unicode 6.1; of younger ones it makes no words.
      const words = /^[ -~]*$/.test(text) && text.match(/[A-Za-z0-9]+/g)
      if (words) expect(searchMessages(store.db, { query: words[0], limit: 5 }).length).toBeGreaterThan(0)
    }),
  )
})
