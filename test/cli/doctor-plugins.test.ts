/** What `weft doctor` says of plugins, with and without a gateway on the home; it runs none of them. */
import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { startGateway, temporaryFolder } from "../harness.ts"
import { describes, looping, make } from "../plugins/made.ts"
import { weft } from "./weft.ts"

const names = ["echo", "asks", "gone", "wrong", "idle", "late"]

const config = names
  .map(
    (name) =>
      `[[plugins]]\nname = "${name}"\npath = "${name}.wasm"\ncapabilities = ["env:A", "http:a.test", "secret:K@a.test"]\n`,
  )
  .join("")
  .concat('[secrets]\nK = { file = "key" }\n')

async function fill(home: string) {
  mkdirSync(home, { mode: 0o700 })
  writeFileSync(join(home, "config.toml"), config, { mode: 0o600 })
  writeFileSync(join(home, "key"), "the value", { mode: 0o600 })
  for (const name of ["echo", "asks", "idle"]) {
    writeFileSync(join(home, `${name}.wasm`), make({ description: describes(name) }))
  }
  writeFileSync(
    join(home, "asks.toml"),
    'name = "asks"\nkind = "tool"\ncapabilities = ["env:A", "env:B", "secret:K"]\n',
  )
  writeFileSync(join(home, "wrong.wasm"), "no module")
}

async function examine(home: string): Promise<string[]> {
  const { stdout } = await weft(["doctor", "--json", "--home", home])
  const { checks } = JSON.parse(stdout) as { checks: { what: string; level: string; detail: string }[] }
  const found = checks.filter(({ what }) => what.startsWith("plugin ") || what === "walls of plugins")
  return found.map(({ what, level, detail }) => `${level} ${what.replace("plugin ", "")}: ${detail}`)
}

test("every way in which a plugin can stand is found, and what it asks for in vain", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "home")
  await fill(home)
  // Whoever looks does not run it: this one would never come back.
  writeFileSync(join(home, "late.wasm"), make({ describing: looping }))
  const before = await examine(home)
  expect(before.slice(0, 2)).toEqual([
    "ok echo: the next start approves it as it is",
    "ok asks: the next start approves it as it is",
  ])
  expect(before.slice(2, 5)).toEqual([
    "warn asks: it asks for env:B, which it is not granted",
    expect.stringMatching(/^warn gone: missing: there is no /),
    expect.stringMatching(/^warn wrong: refused: /),
  ])
  expect(before.at(-1)).toMatch(/^(ok|warn) walls of plugins: /)
  writeFileSync(join(home, "late.wasm"), make({ description: describes("late") }))
  await using gateway = await startGateway({ home, log_level: "error" })
  await fetch(`${gateway.url}/rpc`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}` },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "plugin.unload", params: { name: "idle" } }),
  })
  expect(await examine(home)).toContain("ok echo: is as it was approved")
  await gateway.stop("now")
  writeFileSync(join(home, "echo.wasm"), make({ answer: { content: "two" } }))
  const after = await examine(home)
  expect(after).toContainEqual(expect.stringMatching(/^warn echo: changed: its code is another one/))
  expect(after).toContainEqual(expect.stringMatching(/^warn idle: unloaded: /))
  expect(after).toContain("ok late: is as it was approved")
}, 30_000)

test("where no plugin is configured there is nothing to say and nothing to start", async () => {
  await using folder = await temporaryFolder()
  expect(await examine(join(folder.path, "none"))).toEqual([])
})
