/** The guide to plugins: its files are written, its commands are typed, and what they say is what it shows. */
import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { temporaryFolder } from "../harness.ts"
import { lacksWasi } from "../needs.ts"
import { main_path } from "./weft.ts"

type Fence = { language: string; about: string[]; text: string }

const guide = await Bun.file("docs/guides/plugins.md").text()
const fences: Fence[] = [...guide.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm)].map(
  ([, language, about, text]) => ({
    language: language!,
    about: about!.split(" ").filter(Boolean),
    text: text!,
  }),
)

/** What differs from run to run is "…" there: within a line, or for lines of any number. */
const toPattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .trimEnd()
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(/^…$/gm, "[\\s\\S]*")
      .replaceAll("…", ".*")}$`,
  )

/** Each command with what is shown below it. */
function commandsOf(text: string): { command: string; shown: string }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = "", ...shown] = part.split("\n")
      return { command, shown: shown.join("\n") }
    })
}

async function openDesk() {
  const folder = await temporaryFolder()
  const at = (...names: string[]) => join(folder.path, ...names)
  // With the compiler of this checkout, so that none is fetched.
  symlinkSync(resolve("node_modules"), at("node_modules"))
  mkdirSync(at("bin"))
  const script = `#!/bin/sh
exec '${process.execPath}' '${main_path}' "$@"
`
  writeFileSync(at("bin/weft"), script, { mode: 0o755 })
  const env = {
    ...process.env,
    HOME: at("home"),
    WEFT_HOME: at("home/.weft"),
    PATH: `${at("bin")}:${process.env.PATH}`,
    RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(userInfo().homedir, ".rustup"),
    CARGO_HOME: process.env.CARGO_HOME ?? join(userInfo().homedir, ".cargo"),
  }
  return {
    write(name: string, text: string) {
      const path = name.startsWith("~/") ? at("home", name.slice(2)) : at(name)
      mkdirSync(dirname(path), { recursive: true })
      return Bun.write(path, text)
    },
    async type(command: string): Promise<string> {
      await using child = Bun.spawn(["sh", "-c", command], {
        ...{ cwd: folder.path, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      })
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ])
      await child.exited
      return stdout.trimEnd() || stderr.trimEnd()
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test("whoever follows the guide gets what it shows", async () => {
  await using desk = await openDesk()
  let typed = 0
  for (const { language, about, text } of fences) {
    if (language === "console") {
      if (about.some((toolchain) => lacksWasi(toolchain))) continue
      for (const { command, shown } of commandsOf(text)) {
        expect([command, await desk.type(command)]).toEqual([
          command,
          expect.stringMatching(toPattern(shown)),
        ])
        typed++
      }
    } else if (about[0]) await desk.write(about[0], text)
  }
  expect(typed).toBeGreaterThan(10)
}, 240_000)
