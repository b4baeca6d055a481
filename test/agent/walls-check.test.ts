import { expect, test } from "bun:test"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import { openAgents } from "../../src/agent/agents.ts"
import { agentSection } from "../../src/agent/config.ts"
import { checkWalls, lookAtWalls } from "../../src/agent/walls-check.ts"
import { parser } from "../../src/base/schema.ts"
import type { Launcher } from "../../src/kernel/launcher.ts"
import { walls } from "../../src/kernel/walls.ts"
import { defineTool, type Effect } from "../../src/tools/tool.ts"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { scripted, walls_options } from "./scripted.ts"

const parse = parser(agentSection.schema)
const tool = (name: string, effect: Effect) =>
  defineTool({ name, description: name, effect, params: Type.Object({}), run: () => "" })
const tools = [tool("look", "read"), tool("run", "execute")]

const open = (home: string, ...configs: object[]) => {
  const agents = configs.map((config) => parse({ tools: ["*"], ...config }))
  return openAgents({
    ...{ agent: agents[0]!, agents: agents.slice(1), models: scripted(() => []), folder: "/" },
    ...{ ...walls_options, home, tools, isReached: () => true },
  })
}

/** As on a system where nothing can be shut in. */
const none: Launcher = { missing: "this system has no walls" }

async function warningsOf(configs: object[], launcher?: Launcher): Promise<unknown[]> {
  await using home = await temporaryFolder()
  const warnings: unknown[] = []
  const log = { warn: (message: string, data?: object) => void warnings.push({ message, ...data }) }
  await checkWalls(open(home.path, ...configs), log, launcher)
  if (existsSync(join(home.path, "run"))) expect(readdirSync(join(home.path, "run"))).toEqual([])
  return warnings
}

test("what cannot be put up is said once, with the agents whom it concerns", async () => {
  const configs = [
    { id: "guest" },
    { id: "own", sandbox: { mode: "prefer" } },
    { id: "free", sandbox: { mode: "off" } },
    { id: "reader", tools: ["look"] },
  ]
  const [warning, ...others] = (await warningsOf(configs, none)) as Record<string, unknown>[]
  expect(others).toEqual([])
  expect(warning).toMatchObject({ refused_to: ["guest"], run_without: ["own"] })
  for (const wall of walls) expect(warning!.missing).toContain(`${wall} (this system has no walls)`)
})

test.each([
  ["runs programs", [{ tools: ["look"] }]],
  ["wants walls", [{ sandbox: { mode: "off" } }]],
])("where no agent %s nothing is looked at", async (_, configs) => {
  await using home = await temporaryFolder()
  await checkWalls(open(home.path, ...configs), { warn: expect.unreachable }, none)
  expect(readdirSync(home.path)).toEqual([])
})

needs({ platform: "linux", file: "native/build/sandbox" })(
  "a look at this machine accounts for every wall, agrees with the warning, and leaves nothing behind",
  async () => {
    await using folder = await temporaryFolder()
    const { limits, env } = open(folder.path, {}).get("default")!.walls
    const { holds, missing } = await lookAtWalls({ limits, env }, join(folder.path, "look"))
    expect([...holds, ...missing.map(({ wall }) => wall)].toSorted()).toEqual([...walls].toSorted())
    expect(holds).toContain("seccomp")
    expect(await warningsOf([{}])).toBeArrayOfSize(missing.length > 0 ? 1 : 0)
    expect(readdirSync(folder.path)).toEqual([])
  },
)
