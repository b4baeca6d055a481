/** The guide to permissions: what it says of its examples is what the rules say. */
import { afterAll, expect, test } from "bun:test"
import { loadConfig } from "../src/config/load.ts"
import { names, sections, tools } from "../src/registry.ts"
import { splitHost } from "../src/security/patterns.ts"
import { type Permissions, parseRules, type Verdict } from "../src/security/permissions.ts"
import { type Target, ToolDenied } from "../src/security/target.ts"
import type { AnyTool } from "../src/tools/tool.ts"
import { openShellWorld } from "./tools/shell-world.ts"

const guide = await Bun.file("docs/guides/permissions.md").text()
const world = openShellWorld()
afterAll(() => world[Symbol.asyncDispose]())

type Example = { rules: string; call: string; said: string }

/** Each line of the verdicts belongs to the rules above it. */
function examples(): Example[] {
  let rules = ""
  return [...guide.matchAll(/^```(toml|verdicts default|verdicts)\n([\s\S]*?)^```$/gm)].flatMap(
    ([, kind, text]) => {
      if (kind === "toml") rules = text!
      if (kind === "toml") return []
      const lines = text!.trim().split("\n")
      return lines.map((line) => {
        const [call = "", said = ""] = line.split("→").map((part) => part.trim())
        return { rules: kind === "verdicts" ? rules : "", call, said }
      })
    },
  )
}

async function permissionsOf(text: string): Promise<Permissions | undefined> {
  const files = { readSecretFile: () => Promise.resolve(undefined), exists: () => Promise.resolve(true) }
  const { config, warnings } = await loadConfig({
    ...{ text, path: "/home/weft.toml", sections, names, files, env: {}, flags: [] },
  })
  expect(warnings).toEqual([])
  return config.agent.permissions
}

/** None where a wall is in the way already. */
async function targetsOf(tool: AnyTool, input: object): Promise<Target[]> {
  try {
    return await tool.targets!(input, world.context)
  } catch (thrown) {
    if (thrown instanceof ToolDenied) return []
    throw thrown
  }
}

test.each(examples())("the guide is right about $call: $said", async ({ rules: text, call, said }) => {
  const rules = parseRules(await permissionsOf(text), tools)
  const [name = "", argument = ""] = /^(\w+) (.*)$/.exec(call)!.slice(1)
  const tool = tools.find((one) => one.name === name)!
  const input = { exec: { command: argument }, web_fetch: { url: argument } }[name] ?? { path: argument }
  if (argument === "./echo") world.put("echo", "#!/bin/sh\n", 0o755)
  const found = await targetsOf(tool, input)
  const verdicts: Verdict[] = found.map((target) => rules.decide(name, target).verdict)
  if (found.length === 0) verdicts.push("deny")
  const verdict = (["deny", "ask", "allow"] as const).find((one) => verdicts.includes(one))
  const { name: host, port } = splitHost(found[0]?.text ?? "")
  const opened = rules.isOpened(host, Number(port)) ? "and open" : "but closed"
  expect(said).toBe(said.includes(" ") ? `${verdict} ${opened}` : `${verdict}`)
})

test("the guide names every group and what is in it", () => {
  for (const { group, name } of tools as { name: string; group?: string }[]) {
    if (group && name !== "read_result") expect(guide).toMatch(new RegExp(`\`${group}\` \\|.*\`${name}\``))
  }
})
