/** `weft memory` as one types it, against a real gateway. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ask } from "../gateway/client.ts"
import { type Started, startGateway, temporaryFolder } from "../harness.ts"
import { weft } from "./weft.ts"

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let gateway: Started
beforeAll(async () => {
  folder = await temporaryFolder()
  gateway = await startGateway()
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const memory = (...args: string[]) =>
  weft(["memory", ...args, "--url", gateway.url, "--token", gateway.token])
const inFolder = (name: string) => join(folder.path, name)
/** An export without its time. */
const rowsOf = (path: string) => readFileSync(path, "utf8").split("\n").slice(1)

test("what is added is listed, found with a reason, and forgotten", async () => {
  const added = await memory("add", "The boat is called Albatross", "--tag", "boat,harbour")
  expect(added.stdout).toMatch(
    /^\d+ {2}\S+ \S+ {2}note {2}all senders of default {2}\(#boat, #harbour\)\n {2}The boat/,
  )
  const id = /^\d+/.exec(added.stdout)![0]
  const found = await memory("search", "what is the boat called?")
  expect(found.stdout).toContain("Albatross")
  expect(found.stdout).toMatch(
    /\(words 1st.*\n.*\nLooked at \d+ rows: \d+ matched by words, \d+ by the vectors of hash/,
  )
  expect((await memory("list", "--tag", "harbour")).stdout).toContain("Albatross")
  expect((await memory("list", "--tag", "nothing")).stdout).toBe("Nothing is remembered there.\n")
  expect((await memory("forget", id)).stdout).toBe("Forgotten: 1 of 1.\n")
  const after = JSON.parse((await memory("search", "albatross", "--json")).stdout)
  expect(after).toMatchObject({ hits: [], searched: { rows: 0, pending: 0 } })
}, 20_000)

test("a fact takes the place of its earlier value, and is told apart by sender", async () => {
  const sender = ["--sender", "ws:default:ann"]
  await memory("add", "Ann lives in Oslo", ...sender, "--fact", "user:city:Oslo")
  await memory("add", "Ann lives in Bergen", ...sender, "--fact", "user:city:Bergen")
  const { items } = JSON.parse((await memory("list", "--kind", "fact", ...sender, "--json")).stdout)
  expect(items.map(({ fact }: { fact: { object: string } }) => fact.object)).toEqual(["Bergen"])
  const all = await memory("list", "--kind", "fact", "--superseded", ...sender)
  expect(all.stdout).toMatch(/fact, no longer so since .*\n.*Oslo/)
  expect((await memory("list", "--sender", "ws:default:bob")).stdout).not.toContain("Bergen")
}, 20_000)

test.each([
  [["add", "x", "--fact", "user:city"], "subject:predicate:object"],
  [["list", "--sender", "ann"], "channel:account:peer"],
  [["export", "--json"], "needs a file"],
])("%j is refused with what it needs", async (args, said) => {
  const { stderr, exit } = await memory(...args)
  expect([exit, stderr]).toEqual([2, expect.stringContaining(said)])
})

test("an explanation shows the parts with their tokens, and the whole", async () => {
  await ask(gateway, "chat.send", { content: "My sister lives in Lima.", peer: "eve" })
  const { stdout } = await memory("explain", "default:ws:default:eve", "Where does my sister live?")
  expect(stdout).toMatch(/^PART +MEMORY +TOKENS +WHY +TEXT\n/)
  expect(stdout).toContain("Lima")
  expect(stdout).toMatch(/\d+ tokens in all: .*question \d+/)
})

test("stats and reindex say what there is", async () => {
  expect((await memory("stats")).stdout).toMatch(/embedder +hash:.*\n.*\n*kernel/)
  expect((await memory("reindex")).stdout).toStartWith("The indexes are made anew.\n")
})

test("an export is taken in by another home as it is, once, with its vectors", async () => {
  await memory("add", "The dinghy is called Petrel")
  await memory("search", "anything")
  const path = inFolder("all.jsonl")
  expect((await memory("export", path, "--vectors")).stderr).toMatch(/^\d+ rows are in /)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const header = JSON.parse(readFileSync(path, "utf8").split("\n")[0]!)
  expect(header).toMatchObject({
    format: "weft.memory",
    version: 1,
    embedder: { id: expect.stringContaining("hash:") },
  })
  // Nothing that is there is written over.
  expect(await memory("export", path)).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining("is there already"),
  })
  expect(await memory("export", inFolder("none/all.jsonl"))).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining("ENOENT"),
  })
  await using other = await startGateway()
  const to = ["--url", other.url, "--token", other.token]
  const count = rowsOf(path).length - 1
  const first = JSON.parse((await weft(["memory", "import", path, "--json", ...to])).stdout)
  expect(first).toMatchObject({ added: count, known: 0, vectors: count })
  const second = JSON.parse((await weft(["memory", "import", path, "--json", ...to])).stdout)
  expect(second).toMatchObject({ added: 0, known: count })
  const again = inFolder("again.jsonl")
  await weft(["memory", "export", again, "--vectors", ...to])
  expect(rowsOf(again)).toEqual(rowsOf(path))
  const moved = await weft(["memory", "import", path, "--agent", "default", "--json", ...to])
  expect(JSON.parse(moved.stdout)).toMatchObject({ added: 0, known: count })
}, 20_000)

const row = (text: string) => ({ agent: "default", kind: "note", text, created_ms: 1 })

test.each([
  ["no JSON", "{half", "/"],
  ["a value that is wrong", JSON.stringify({ ...row("x"), importance: 7 }), "/importance"],
  ["a line without an end", `{"text":"${"x".repeat(3_000_000)}`, "/"],
  ["a text that is too long", JSON.stringify(row("x".repeat(100_001))), "/text"],
  ["a field that there is not", JSON.stringify({ ...row("x"), secret: 1 }), "/secret"],
])("a bad line is named, and what stands before it is in: %s", async (_name, bad, path) => {
  await using other = await startGateway()
  const lines = [{ format: "weft.memory", version: 1, exported_ms: 1 }, row("one"), row("two")]
  const file = inFolder("bad.jsonl")
  writeFileSync(
    file,
    [...lines.map((line) => JSON.stringify(line)), bad, JSON.stringify(row("three"))].join("\n"),
  )
  const ran = await weft(["memory", "import", file, "--json", "--url", other.url, "--token", other.token])
  expect(ran.exit).toBe(2)
  expect(JSON.parse(ran.stderr)).toMatchObject({ error: { data: { line: 4, path, added: 2 } } })
  const { items } = await ask<{ items: { text: string }[] }>(other, "memory.list")
  expect(items.map(({ text }) => text)).toEqual(["two", "one"])
})

test("an export of a later version is refused before anything of it is taken", async () => {
  const file = inFolder("later.jsonl")
  writeFileSync(file, '{"format":"weft.memory","version":2}\n{"agent":"default"}\n')
  const { stderr, exit } = await memory("import", file)
  expect([exit, stderr]).toEqual([2, expect.stringContaining("/version")])
})

test("a folder of nanobot's is taken in, and what is left of it is said", async () => {
  await using other = await startGateway()
  const root = inFolder("nanobot")
  const put = (path: string, text: string) => {
    mkdirSync(join(root, path, ".."), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  put("workspace/memory/MEMORY.md", "# Long-term Memory\n\n## User\n\n- Name: Ana\n- Likes boats\n")
  put("workspace/memory/HISTORY.md", "[2026-02-01 14:03] Talked about Albatross.\n")
  put("workspace/SOUL.md", "Be kind.")
  put("workspace/notes.md", "- not meant")
  put(
    "sessions/telegram_12.jsonl",
    [
      { _type: "metadata", created_at: "2026-02-01T10:00:00", key: "telegram:12" },
      { role: "user", content: "My locker is number 77.", timestamp: "2026-02-01T10:00:01" },
      { role: "assistant", content: "Noted.", timestamp: "2026-02-01T10:00:02" },
      { role: "tool", content: "ok" },
    ]
      .map((line) => JSON.stringify(line))
      .join("\n"),
  )
  const to = ["--url", other.url, "--token", other.token]
  const { stdout } = await weft(["memory", "import", root, "--sender", "ws:default:main", ...to])
  expect(stdout.split("\n").slice(0, -1)).toEqual([
    "Taken:",
    "  sessions/telegram_12.jsonl: 2 messages of conversations",
    "  workspace/memory/HISTORY.md: 1 rows",
    "  workspace/memory/MEMORY.md: 2 rows",
    "Left:",
    '  sessions/telegram_12.jsonl: 1 messages of the role "tool"',
    "  workspace/SOUL.md: it belongs into the agent's folder",
  ])
  const again = JSON.parse(
    (await weft(["memory", "import", root, "--sender", "ws:default:main", "--json", ...to])).stdout,
  )
  expect(again).toMatchObject({ added: 0, messages: 0, known: 5 })
  const found = async (query: string, sender: object) =>
    (await ask<{ hits: { text: string }[] }>(other, "memory.search", { query, sender })).hits.map(
      ({ text }) => text,
    )
  const telegram = { channel: "telegram", account: "default", peer: "12" }
  expect(await found("locker number", telegram)).toContain("My locker is number 77.")
  const main = { channel: "ws", account: "default", peer: "main" }
  expect((await found("Albatross", main))[0]).toContain("Albatross")
  expect(await found("locker number", main)).not.toContain("My locker is number 77.")
  const nothing = await weft(["memory", "import", inFolder("nanobot/workspace/notes.md"), ...to])
  expect(nothing.stdout).toContain("notes.md: nothing that is known")
}, 20_000)
