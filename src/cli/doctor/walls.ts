import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Agent } from "../../agent/agents.ts"
import { describeMissing, executes, lookAtWalls } from "../../agent/walls-check.ts"
import type { Wall } from "../../kernel/walls.ts"
import type { Checked } from "../../security/sandbox/sandbox.ts"
import type { Inspected } from "../deps.ts"
import { type Finding, fail, ok, warn } from "./finding.ts"

const namespaces =
  "leave to make namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, and in a container its own options"

const remedies: Record<Wall, string> = {
  landlock: `Linux 5.13 or newer with landlock among the lsm= of its command line, and ${namespaces}`,
  seccomp: "a kernel with CONFIG_SECCOMP_FILTER, and a container that does not forbid it",
  no_new_privileges: "Linux 3.5 or newer",
  limits: `an ordinary user instead of root, or ${namespaces}`,
  processes: namespaces,
  network: namespaces,
}

/** What is put around the programs that agents run. Really runs one, in a folder that goes with the check. */
export async function* checkSandbox(inspected: Inspected | undefined): AsyncGenerator<Finding> {
  const folder = mkdtempSync(join(tmpdir(), "weft-doctor-"))
  try {
    yield* checkNative(folder)
    const agents = [...(inspected?.live.agents.values() ?? [])]
    const limits = agents[0]?.walls.limits ?? default_limits
    const checked = await lookAtWalls({ limits, env: process.env }, join(folder, "walls"))
    yield* describeWalls(checked)
    for (const agent of agents) yield checkAgent(agent, checked)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where the configuration says none, because it cannot be read. */
const default_limits = { memory_bytes_max: 2 ** 31, processes_max: 256, file_bytes_max: 2 ** 30 }

async function* checkNative(folder: string): AsyncGenerator<Finding> {
  const [{ loadKernel }, { launcher }] = await Promise.all([
    import("../../kernel/library.ts"),
    import("../../kernel/launcher.ts"),
  ])
  const { kernel, how } = loadKernel(folder)
  yield kernel
    ? ok("native library", how)
    : warn(
        "native library",
        how,
        "nothing is lost but speed; where there is a compiler, scripts/build makes it",
      )
  const found = await launcher(folder)
  if ("missing" in found)
    yield warn("sandbox helper", found.missing, "run weft on Linux for agents that run programs")
  else if (found.kind === "helper") yield ok("sandbox helper", "the one in C runs")
  else {
    yield warn(
      "sandbox helper",
      "the one in C does not run here, so this program is in its place: slower, with fewer walls",
      "an executable that was built with it",
    )
  }
}

function* describeWalls({ holds, missing }: Checked): Generator<Finding> {
  if (holds.length > 0) yield ok("walls", `${holds.join(", ")} hold${holds.length === 1 ? "s" : ""}`)
  for (const { wall, why } of missing) yield warn(`wall ${wall}`, why, remedies[wall])
}

function checkAgent(agent: Agent, { missing }: Checked): Finding {
  const what = `agent ${agent.id}, programs`
  const { mode } = agent.walls.sandbox
  if (!executes(agent)) return ok(what, "it has no tool that runs any")
  if (mode === "off") {
    return warn(what, "they run without walls (sandbox.mode is off)", 'sandbox.mode = "prefer" or "require"')
  }
  if (missing.length === 0) return ok(what, `every wall stands, as sandbox.mode = "${mode}" has it`)
  const list = describeMissing(missing)
  return mode === "require"
    ? fail(
        what,
        `none runs, as every wall is required; missing: ${list}`,
        'see the walls above, or sandbox.mode = "prefer"',
      )
    : warn(what, `they run without ${list}`, "see the walls above")
}
