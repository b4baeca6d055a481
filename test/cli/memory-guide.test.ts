/** The guide to the memory: its commands run, and its configuration is accepted. */
import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ask } from "../gateway/client.ts"
import { startGateway, temporaryFolder } from "../harness.ts"
import { weft } from "./weft.ts"

const guide = await Bun.file("docs/guides/memory.md").text()
const blocks = (language: string) =>
  [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text]) =>
    name === language ? [text!] : [],
  )
/** The words of a line, as a shell takes them apart. */
const wordsOf = (line: string) =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)

test("the guide's configurations are accepted", async () => {
  for (const config of blocks("toml")) {
    await using gateway = await startGateway({ config, env: { OPENAI_API_KEY: "a key" } })
    expect(gateway.warnings).toEqual([])
  }
})

test("the guide's commands run", async () => {
  await using folder = await temporaryFolder()
  const shared = blocks("toml").find((text) => text.includes("share ="))!
  await using gateway = await startGateway({ config: shared })
  await ask(gateway, "chat.send", { content: "My sister lives in Lima." })
  mkdirSync(join(folder.path, "nanobot/memory"), { recursive: true })
  writeFileSync(join(folder.path, "nanobot/memory/MEMORY.md"), "- Likes boats\n")
  const lines = blocks("sh").flatMap((text) => text.trim().split("\n"))
  expect(lines.length).toBeGreaterThan(10)
  for (const line of lines) {
    const here = line
      .replace("~/.nanobot", join(folder.path, "nanobot"))
      .replace("all.jsonl", join(folder.path, "all.jsonl"))
    const [, ...args] = wordsOf(here)
    const { stderr, exit } = await weft([...args, "--url", gateway.url, "--token", gateway.token])
    expect([line, exit, exit === 0 ? "" : stderr]).toEqual([line, 0, ""])
  }
}, 30_000)
