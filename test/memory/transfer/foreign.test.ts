/** The memory files and sessions of nanobot and clawft, in the forms that they are found in. */
import { expect, test } from "bun:test"
import { parser } from "../../../src/base/schema.ts"
import { parseSessionKey, toSender, toSessionKey } from "../../../src/base/session-key.ts"
import { type Into, parseForeign } from "../../../src/memory/transfer/foreign.ts"
import { importRows } from "../../../src/memory/transfer/import.ts"
import { parseHistoryFile, parseMemoryFile } from "../../../src/memory/transfer/markdown.ts"
import { parseTransferRow, TransferRow } from "../../../src/memory/transfer/row.ts"
import { importMessages, type SaidElsewhere } from "../../../src/memory/transfer/sessions.ts"
import { addMessage, listMessages } from "../../../src/store/messages.ts"
import { openStore } from "../../../src/store/open.ts"
import { findSession, getSession, touchSession } from "../../../src/store/sessions.ts"

const into: Into = {
  agent: "default",
  sender: "ws:default:main",
  terminal: { channel: "ws", account: "default", peer: "main" },
}
const parse = (name: string, text: string) => parseForeign({ name, text, changed_ms: 1000 }, into)

const memory_md = `# Long-term Memory

This file stores important information.

## User Information

(Important facts about the user)

- **Name**: Ana Soto
- Time zone: Europe/Madrid
- Prefers short answers: no more than
  three sentences

## Project Weft

- Language: TypeScript
- see https://example.com/a: b

<!-- nothing
- Name: nobody
-->
---
`

test("each item of MEMORY.md is a note below its headings, or a fact", () => {
  expect(parseMemoryFile(memory_md, 5)).toEqual([
    { text: "This file stores important information.", created_ms: 5, undated: true },
    {
      text: "User Information: **Name**: Ana Soto",
      created_ms: 5,
      undated: true,
      fact: { subject: "user", predicate: "name", object: "Ana Soto" },
    },
    {
      text: "User Information: Time zone: Europe/Madrid",
      created_ms: 5,
      undated: true,
      fact: { subject: "user", predicate: "time_zone", object: "Europe/Madrid" },
    },
    {
      text: "User Information: Prefers short answers: no more than\nthree sentences",
      created_ms: 5,
      undated: true,
    },
    {
      text: "Project Weft: Language: TypeScript",
      created_ms: 5,
      undated: true,
      fact: { subject: "project_weft", predicate: "language", object: "TypeScript" },
    },
    { text: "Project Weft: see https://example.com/a: b", created_ms: 5, undated: true },
  ])
})

test("entries of HISTORY.md have their day, in this machine's zone", () => {
  const text =
    "# History\n\n[2026-02-01 14:03] Talked about\nboats.\n\nMore of it.\n\n[2026-02-02 08:00] Tea.\n"
  const at = (text: string) => new Date(text).getTime()
  expect(parseHistoryFile(text, 1)).toEqual([
    { text: "Talked about\nboats.", created_ms: at("2026-02-01T14:03") },
    { text: "More of it.", created_ms: at("2026-02-01T14:03") },
    { text: "Tea.", created_ms: at("2026-02-02T08:00") },
  ])
})

test("lines of history.jsonl are notes, and what is none of them is counted", () => {
  const lines = ['{"cursor":1,"timestamp":"2026-02-01 14:03","content":"Tea."}', "{half", '{"cursor":2}', ""]
  const found = parse("history.jsonl", lines.join("\n"))!
  expect(found.rows).toMatchObject([{ kind: "note", text: "Tea.", tags: ["history"], sender: into.sender }])
  expect([...found.left.values()]).toEqual([1, 1])
})

test("every row is one that an import takes", () => {
  const check = parser(TransferRow)
  const rows = [
    ...parse("MEMORY.md", memory_md)!.rows,
    ...parse("HISTORY.md", "[2026-02-01 14:03] a\n\n[2026-02-01 14:03] a")!.rows,
  ]
  expect(rows.map(check)).toEqual(rows)
  expect(rows.slice(-2).map(({ nth }) => nth)).toEqual([0, 1])
})

const line = (value: object) => JSON.stringify(value)
const head = {
  _type: "metadata",
  created_at: "2026-02-01T10:00:00.123456",
  metadata: {},
  last_consolidated: 0,
}
const session = (key?: string) =>
  [
    line({ ...head, ...(key && { key }) }),
    line({ role: "user", content: "My sister lives in Lima.", timestamp: "2026-02-01T10:00:01" }),
    line({ role: "assistant", content: [{ type: "text", text: "Noted." }], tools_used: ["exec"] }),
    line({ role: "assistant", content: "", tool_calls: [{}] }),
    line({ role: "tool", content: "ok", tool_call_id: "1" }),
    line({ _type: "provider_state", a: 1 }),
  ].join("\n")

test.each([
  ["telegram_12_34.jsonl", undefined, "telegram:default:12_34"],
  ["any.jsonl", "discord:7", "discord:default:7"],
  ["telegram%3A12.jsonl", undefined, "telegram:default:12"],
  [`${Buffer.from("slack:C1:T2").toString("base64url")}.jsonl`, undefined, "slack:default:C1%3AT2"],
  ["cli_direct.jsonl", undefined, "ws:default:main"],
  ["odd.jsonl", undefined, "import:default:odd"],
])("a session in %s with the key %p is of %s", (name, key, sender) => {
  const { messages, left, rows } = parse(name, session(key))!
  expect(rows).toEqual([])
  expect(messages.map((one) => [toSender(one), one.role, one.text])).toEqual([
    [sender, "user", "My sister lives in Lima."],
    [sender, "assistant", "Noted."],
  ])
  expect(messages[0]!.created_ms).toBe(new Date("2026-02-01T10:00:01").getTime())
  expect([...left.keys()].toSorted()).toEqual([
    'lines of the kind "provider_state"',
    'messages of the role "tool"',
    "messages without text, such as calls of tools",
  ])
})

test("what is too long for a passage is left, and that is counted", () => {
  const long = "x".repeat(100_001)
  for (const found of [parse("MEMORY.md", `- ${long}\n- tea`), parse("HISTORY.md", `${long}\n\ntea`)]) {
    expect([found!.rows.map(({ text }) => text), [...found!.left.values()]]).toEqual([["tea"], [1]])
  }
  const said = parse("a.jsonl", [line(head), line({ role: "user", content: long })].join("\n"))!
  expect([said.messages, [...said.left.values()]]).toEqual([[], [1]])
})

test("what is none of their files is not taken", () => {
  expect(parse("notes.md", "- a")).toBeUndefined()
  expect(parse("data.jsonl", '{"a":1}')).toBeUndefined()
})

const key = "default:telegram:default:12"
const said = (text: string, nth = 0): SaidElsewhere => ({
  ...parseSessionKey(key)!,
  ...{ role: "user", text, created_ms: 5, nth },
})

test("a conversation becomes a session once, and what it says is heard", async () => {
  await using store = openStore(":memory:")
  const heard: number[] = []
  const deps = {
    store,
    hear: (_db: unknown, _session: unknown, { id }: { id: number }) => void heard.push(id),
  }
  const messages = [said("one"), said("one", 1), said("two")]
  expect(await importMessages(deps, messages)).toEqual({ messages: 3, known: 0, as_notes: 0 })
  expect(await importMessages(deps, messages)).toEqual({ messages: 0, known: 3, as_notes: 0 })
  const { id } = getSession(store.db, key)
  expect(listMessages(store.db, id, { limit: 9 }).map(({ parts }) => parts)).toHaveLength(3)
  expect(heard).toHaveLength(3)
})

test("into a session that is in use nothing is put: its messages are notes", async () => {
  await using store = openStore(":memory:")
  const { id } = touchSession(store.db, toSessionKey(said("")), said(""), 1)
  addMessage(store.db, id, {
    turn_id: "t",
    role: "user",
    parts: [{ type: "text", text: "now" }],
    created_ms: 9,
  })
  const deps = { store, hear: () => undefined }
  expect(await importMessages(deps, [said("before")])).toEqual({ messages: 0, known: 0, as_notes: 1 })
  expect(await importMessages(deps, [said("before")])).toEqual({ messages: 0, known: 1, as_notes: 0 })
  expect(findSession(store.db, key)).toMatchObject({ message_count: 1 })
  expect(store.db.query("SELECT kind, text, created_ms FROM memory").all()).toEqual([
    { kind: "note", text: "before", created_ms: 5 },
  ])
})

test("what was written down or said long ago does not take the place of what is known by now", async () => {
  await using store = openStore(":memory:")
  const owner = { agent: "default", sender: "telegram:default:12", namespace: "" }
  const row = (object: string, created_ms: number) =>
    parseTransferRow({
      ...{ ...owner, kind: "fact", text: `City: ${object}`, created_ms },
      fact: { subject: "user", predicate: "city", object },
    })
  const take = (one: TransferRow) =>
    importRows({ store, vectors: { sets: () => [], add: () => 0 } }, { rows: [one], embedder: undefined })
  for (const one of [row("Oslo", 500), row("Lima", 100), row("Lima", 100), row("Bergen", 600)])
    await take(one)
  const rows = store.db
    .query("SELECT kind, text, superseded_ms FROM memory LEFT JOIN fact ON memory_id = id ORDER BY id")
    .all()
  expect(rows).toEqual([
    { kind: "fact", text: "user's city: Oslo", superseded_ms: 600 },
    { kind: "note", text: "City: Lima", superseded_ms: null },
    { kind: "fact", text: "user's city: Bergen", superseded_ms: null },
  ])
  const heard: string[] = []
  const deps = {
    store,
    hear: (_db: unknown, _session: unknown, { created_ms }: { created_ms: number }) =>
      void heard.push(`${created_ms}`),
  }
  await importMessages(deps, [said("old"), { ...said("new"), created_ms: 700 }])
  expect(heard).toEqual(["700"])
})

test("an edited file adds what is new in it, and nothing a second time", async () => {
  await using store = openStore(":memory:")
  const take = async (name: string, text: string, changed_ms: number) => {
    const { rows } = parseForeign({ name, text, changed_ms }, into)!
    const done = await importRows(
      { store, vectors: { sets: () => [], add: () => 0 } },
      { rows: rows.map(parseTransferRow), embedder: undefined },
    )
    return [done.added, done.known]
  }
  const history = "Boats.\n\n[2026-02-01 14:03] Tea.\n"
  expect(await take("MEMORY.md", "- Name: Ana\n- Likes boats\n- Likes boats\n", 5)).toEqual([3, 0])
  expect(await take("HISTORY.md", history, 5)).toEqual([2, 0])
  expect(await take("MEMORY.md", "- Likes boats\n- Likes tea\n- Name: Ana\n- Likes boats\n", 9)).toEqual([
    1, 3,
  ])
  expect(await take("HISTORY.md", `${history}\n[2026-02-02 14:03] Tea.\n`, 9)).toEqual([1, 2])
})
