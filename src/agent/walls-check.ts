/** What this machine can put around the programs that agents run. */
import { mkdirSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { Log } from "../base/log.ts"
import type { Launcher } from "../kernel/launcher.ts"
import { walls } from "../kernel/walls.ts"
import { newName } from "../security/sandbox/remove.ts"
import type { Checked } from "../security/sandbox/sandbox.ts"
import type { Agent, Agents } from "./agents.ts"
import type { Walls } from "./hands.ts"

/**
 * Really runs a program behind all walls, in `folder`, which is made for it and goes with it. `launcher` is for one
 * that is not this machine's own.
 */
export async function lookAtWalls(
  { limits, env }: Pick<Walls, "limits" | "env">,
  folder: string,
  launcher?: Launcher,
): Promise<Checked> {
  const [{ openSandbox }, { launcher: findLauncher }] = await Promise.all([
    import("../security/sandbox/sandbox.ts"),
    import("../kernel/launcher.ts"),
  ])
  const [workspace, run_folder] = [join(folder, "workspace"), join(folder, "run")]
  try {
    for (const path of [workspace, run_folder]) mkdirSync(path, { recursive: true, mode: 0o700 })
    const found = launcher ?? (await findLauncher(run_folder))
    if ("missing" in found) {
      return { holds: [], missing: walls.map((wall) => ({ wall, why: found.missing })) }
    }
    const policy = { mode: "prefer" as const, workspace, read: [], write: [], network: [] }
    await using sandbox = openSandbox({ policy, limits, env, run_folder, launcher: found })
    return await sandbox.check()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether something that the agent may call starts programs. */
export const executes = ({ tools }: Pick<Agent, "tools">): boolean =>
  tools.some(({ effect }) => effect === "execute")

/** "network (why), processes (why)" */
export const describeMissing = (missing: Checked["missing"]): string =>
  missing.map(({ wall, why }) => `${wall} (${why})`).join(", ")

/**
 * Says once what this machine cannot put up, where an agent would have it. Nothing is run where no agent runs
 * programs behind walls.
 */
export async function checkWalls(agents: Agents, log: Pick<Log, "warn">, launcher?: Launcher): Promise<void> {
  const walled = [...agents.values()].filter((agent) => executes(agent) && agent.walls.sandbox.mode !== "off")
  const [first] = walled
  if (!first) return
  const folder = join(first.walls.run_folder, newName())
  const { missing } = await lookAtWalls(first.walls, folder, launcher)
  if (missing.length === 0) return
  const idsWith = (mode: string) =>
    walled.filter(({ walls }) => walls.sandbox.mode === mode).map(({ id }) => id)
  log.warn("this machine cannot put up every wall around the programs that agents run", {
    missing: describeMissing(missing),
    refused_to: idsWith("require"),
    run_without: idsWith("prefer"),
  })
}
