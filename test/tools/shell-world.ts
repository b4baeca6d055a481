import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openFiles } from "../../src/security/files/files.ts"
import { type Permissions, parseRules, type Verdict } from "../../src/security/permissions.ts"
import { findProgram } from "../../src/security/sandbox/environment.ts"
import type { Executed } from "../../src/security/sandbox/execute.ts"
import { openSandbox } from "../../src/security/sandbox/sandbox.ts"
import { type Target, ToolDenied } from "../../src/security/target.ts"
import { exec } from "../../src/tools/exec.ts"
import type { ToolContext, ToolOutput } from "../../src/tools/tool.ts"
import { openWorkspace } from "./context.ts"

export type Command = string | string[]
export type Ran = Executed & { canary: boolean; changed: string[] }

export type World = AsyncDisposable & {
  workspace: string
  context: ToolContext
  targets(command: Command, more?: object): Promise<Target[]>
  /** The strictest verdict on all that the command would do; an input that makes no sense does nothing. */
  judge(command: Command, permissions: Permissions): Promise<Verdict>
  /** Really runs words in the sandbox, and says whether the canary ran or a file in the workspace is another one. */
  run(argv: string[]): Promise<Ran>
  /** The tool itself, allowed. */
  call(input: object): Promise<ToolOutput>
  put(path: string, text: string, mode?: number): void
}

/** A workspace behind the real walls, with a program "canary" on PATH that leaves a trace wherever it is run from. */
export function openShellWorld(): World {
  const home = mkdtempSync(join(tmpdir(), "weft-shell-"))
  const [workspace, bin, run_folder] = ["workspace", "bin", "run"].map((name) => join(home, name))
  for (const folder of [home, workspace!, bin!, run_folder!]) {
    mkdirSync(folder, { recursive: true, mode: 0o755 })
  }
  const trace = join(workspace!, ".canary")
  writeFileSync(join(bin!, "canary"), `#!/bin/sh\necho "$0 $*" >> ${trace}\n`, { mode: 0o755 })
  const env = { ...process.env, PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` }
  const open = openFiles({ workspace: workspace!, read: [], write: [] })
  const sandbox = openSandbox({
    policy: { mode: "prefer", workspace: workspace!, read: [], write: [], network: [] },
    limits: { memory_bytes_max: 512 * 1024 * 1024, processes_max: 40, file_bytes_max: 1 << 24 },
    run_folder: run_folder!,
    env,
  })
  const looking = ({ effect }: Target) => {
    if (effect !== "read") throw new ToolDenied("nothing is done while it is looked at")
  }
  using other = openWorkspace()
  const context: ToolContext = {
    ...other.context,
    files: open.for(looking),
    execute: sandbox.execute,
    findProgram: (name) => findProgram(name, env, workspace!),
  }
  const put = (path: string, text: string, mode = 0o644) => {
    mkdirSync(join(workspace!, path, ".."), { recursive: true })
    writeFileSync(join(workspace!, path), text)
    chmodSync(join(workspace!, path), mode)
  }
  const restore = () => {
    for (const name of readdirSync(workspace!)) rmSync(join(workspace!, name), { recursive: true })
    put("notes.txt", "a note\n")
    put("script.sh", "#!/bin/sh\ncanary from a script\n", 0o755)
  }
  restore()
  const contents = () =>
    readdirSync(workspace!, { recursive: true, withFileTypes: true })
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return `${path.slice(workspace!.length + 1)} ${entry.isFile() ? readFileSync(path, "utf8") : ""}`
      })
      .sort()
  const before = contents()
  const parse = (command: Command, more: object = {}) => exec.parse({ command, ...more })
  const targets = async (command: Command, more?: object) =>
    await exec.targets!(parse(command, more), context)

  return {
    workspace: workspace!,
    context,
    put,
    targets,
    async judge(command, permissions) {
      const rules = parseRules(permissions, [exec])
      const verdicts = await targets(command).then(
        (found) => found.map((target) => rules.decide("exec", target).verdict),
        (thrown): Verdict[] => {
          if (thrown instanceof Error && thrown.message.startsWith("There is no")) return ["deny"]
          throw thrown
        },
      )
      if (verdicts.length === 0) throw new Error("a command without a target")
      return (["deny", "ask", "allow"] as const).find((one) => verdicts.includes(one))!
    },
    async run(argv) {
      const executed = await sandbox.execute({
        argv,
        timeout_ms: 3000,
        output_bytes_max: 65_536,
        signal: AbortSignal.timeout(20_000),
      })
      const after = contents()
      const changed = after.filter((line) => !before.includes(line))
      for (const line of before) if (!after.includes(line)) changed.push(`no more: ${line}`)
      if (changed.length > 0) restore()
      return { ...executed, changed, canary: changed.some((line) => line.startsWith(".canary ")) }
    },
    call: async (input) => await exec.run(exec.parse(input), context),
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]()
      open[Symbol.dispose]()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
