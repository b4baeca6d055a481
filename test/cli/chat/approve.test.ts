/** A person at a terminal and a real gateway: the file is there where he said yes, and nowhere else. */
import { expect, test } from "bun:test"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { startGateway, temporaryFolder } from "../../harness.ts"
import { weft, weftInTerminal } from "../weft.ts"

const config = `
[agent]
tools = ["*"]
[agent.permissions]
allow = ["read"]
ask = ["write", "execute"]
`
const write = (path: string) => `/tool write_file ${JSON.stringify({ path, content: "a\u202eb" })}`

async function startHome() {
  const folder = await temporaryFolder()
  writeFileSync(join(folder.path, "config.toml"), config, { mode: 0o600 })
  const holds = (path: string) => existsSync(join(folder.path, "agents/default/workspace", path))
  return { ...folder, holds }
}

test("a chat asks about each call, shows what is hidden, and does what it was allowed", async () => {
  await using home = await startHome()
  await using chat = weftInTerminal(["chat", "--home", home.path])
  await chat.shows(/› $/)
  for (const [path, typed, is_there] of [
    ["denied.txt", "n", false],
    ["unsure.txt", "", false],
    ["once.txt", "y", true],
  ] as const) {
    chat.type(`${write(path)}\r`)
    const shown = await chat.shows(/\[n\]o: $/)
    expect(shown).toContain(`│ - write ${path}`)
    expect(shown).toContain('content = "a\\u{202e}b"')
    expect(home.holds(path)).toBe(false)
    chat.type(`${typed}\r`)
    expect(await chat.shows(/echo · [\s\S]*› $/)).toContain(is_there ? "allowed once" : "denied")
    expect(home.holds(path)).toBe(is_there)
  }
  // For the session: not asked again about the same, and about another file all the same.
  chat.type(`${write("kept.txt")}\r`)
  await chat.shows(/\[n\]o: $/)
  chat.type("s\r")
  await chat.shows(/echo · [\s\S]*› $/)
  chat.type(`${write("kept.txt")}\r`)
  expect(await chat.shows(/echo · [\s\S]*› $/)).not.toContain("allow?")
  chat.type(`${write("other.txt")}\r`)
  await chat.shows(/\[n\]o: $/)
  chat.type("\u0003")
  await chat.shows(/› $/)
  expect(home.holds("other.txt")).toBe(false)
})

test("weft agent asks in a terminal, and denies without one", async () => {
  await using home = await startHome()
  await using asked = weftInTerminal(["agent", "-m", write("a.txt"), "--home", home.path])
  await asked.shows(/\[n\]o: $/)
  asked.type("y\r")
  expect(await asked.exited).toBe(0)
  expect(home.holds("a.txt")).toBe(true)
  const { stderr, exit } = await weft(["agent", "-m", write("b.txt"), "--home", home.path])
  expect(exit).toBe(0)
  expect(stderr).toContain("[write_file] Denied: ")
  expect(stderr).toContain("weft approval watch")
  expect(home.holds("b.txt")).toBe(false)
})

test("who watches in another terminal answers for an agent without one, and the record says so", async () => {
  await using home = await startHome()
  await using _gateway = await startGateway({ home: home.path })
  await using watch = weftInTerminal(["approval", "watch", "--home", home.path])
  await watch.shows(/Listening/)
  const asking = weft(["agent", "-m", write("a.txt"), "--home", home.path])
  await watch.shows(/│ - write a\.txt[\s\S]*\[n\]o: $/)
  watch.type("y\r")
  expect((await asking).stderr).toContain("waits for somebody who may approve it")
  expect(home.holds("a.txt")).toBe(true)
  const { stdout } = await weft(["tool", "calls", "--home", home.path])
  expect(stdout).toMatch(/write_file +allow: operator +ok, .* write a\.txt/)
  watch.type("\u0003")
  expect(await watch.exited).toBe(0)
})
