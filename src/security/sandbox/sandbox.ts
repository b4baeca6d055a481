import { existsSync, mkdirSync, realpathSync } from "node:fs"
import { userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { once } from "../../base/once.ts"
import { launcher as findLauncher, type Launcher, no_cache } from "../../kernel/launcher.ts"
import { type Wall, walls } from "../../kernel/walls.ts"
import { ToolDenied } from "../target.ts"
import { cleanEnvironment, cleanPath, type Environment, isWithin } from "./environment.ts"
import type { Execute, Executed, Program } from "./execute.ts"
import { pathGrants, programGrants, systemGrants } from "./grants.ts"
import { startSandboxProxy } from "./proxy.ts"
import { newName, removeTree } from "./remove.ts"
import { type Ran, runPlainly, runWalled } from "./run.ts"
import { type Missing, type Status, toDenial, toFailure, toSentence } from "./status.ts"

export type SandboxMode = "require" | "prefer" | "off"

export type SandboxPolicy = {
  mode: SandboxMode
  /** Absolute; the only folder that is writable without a further grant. */
  workspace: string
  read: readonly string[]
  write: readonly string[]
  /** Hosts that it may reach, as patterns ("api.example.com", "*.example.com", with ":port"); empty: no network. */
  network: readonly string[]
}

export type SandboxLimits = {
  /** Of all processes of a call together; what they map from files does not count. */
  memory_bytes_max: number
  /** Processes and threads at a time. */
  processes_max: number
  /** Of one file that is written. */
  file_bytes_max: number
}

export type SandboxOptions = {
  policy: SandboxPolicy
  limits: SandboxLimits
  /**
   * Ours (0700), in the gateway's home. Each call gets a folder for its temporary files in it, which goes with the call.
   */
  run_folder: string
  env: Environment
  /** Another way to start the helper than this machine's own. */
  launcher?: Launcher
}

export type Checked = { holds: Wall[]; missing: Missing[] }

export type Sandbox = AsyncDisposable & {
  execute: Execute
  /** Really runs a program behind the walls and says which of them this machine gave. Never throws for one that is missing. */
  check(): Promise<Checked>
}

/** Descriptors of a process; programs that open more close none. */
const files_max = 4096
/** Where a proxy is reached inside; only there. See native/sandbox.c. */
const proxy_url = "http://127.0.0.1:3128"
const proxy_env = {
  ...Object.fromEntries(
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [
      [name, proxy_url],
      [name.toLowerCase(), proxy_url],
    ]),
  ),
  // Node goes by the others only if it is told to.
  NODE_USE_ENV_PROXY: "1",
}

const check_ms_max = 10_000

/** Makes nothing and starts nothing before the first call. Disposing stops what runs and waits for its end. */
export function openSandbox(options: SandboxOptions): Sandbox {
  const { policy, run_folder } = options
  const disposal = new AbortController()
  const running = new Set<Promise<unknown>>()
  const path = cleanPath(options.env, policy.workspace)
  const grants = once(() => toGrants(options, path))
  const launcher = once(async () => options.launcher ?? (await findLauncher(run_folder)))

  const stack = new AsyncDisposableStack()
  const proxy = once(async () => stack.use(await startSandboxProxy(policy.network, run_folder)))

  async function run(program: Program, required: readonly Wall[]): Promise<Ran> {
    const started = await launcher()
    const plain = policy.mode === "off" || "missing" in started
    if (plain && required.length > 0)
      throw new ToolDenied(toDenial(walls.map((wall) => ({ wall, why: whyPlain(started) }))))
    const tmp = join(run_folder, newName())
    const folder = resolve(policy.workspace, program.folder ?? ".")
    const env = cleanEnvironment(options.env, { home: policy.workspace, tmp, path: path.join(":") })
    const signal = AbortSignal.any([program.signal, disposal.signal])
    for (const made of [policy.workspace, tmp]) mkdirSync(made, { recursive: true, mode: 0o700 })
    try {
      if (plain) return await runPlainly({ program, folder, env, signal })
      const words = ["--parent", `${process.pid}`, "--folder", folder, "--tmp", tmp, ...grants()]
      for (const granted of programGrants(program.argv[0]!, hiddenFrom(options)))
        words.push("--read", granted)
      if (required.length > 0) words.push("--require", required.join(","))
      if (policy.network.length > 0) {
        words.push("--proxy", (await proxy()).path)
        Object.assign(env, proxy_env)
      }
      if (started.kind === "own") Object.assign(env, no_cache)
      return await runWalled({ program, folder, env, signal }, [
        ...started.argv,
        ...words,
        "--",
        ...program.argv,
      ])
    } finally {
      await removeTree(tmp)
    }
  }

  function track<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = work.then(
      () => running.delete(settled),
      () => running.delete(settled),
    )
    running.add(settled)
    return work
  }

  const required = policy.mode === "require" ? walls : []

  async function execute(program: Program): Promise<Executed> {
    const { executed, status } = await track(
      run(program, required.length > 0 ? required : (program.requires ?? [])),
    )
    if (!status) return { ...executed, missing: [...walls] }
    return toExecuted(program, executed, status)
  }

  async function check(): Promise<Checked> {
    const started = await launcher()
    const plain = policy.mode === "off" || "missing" in started
    if (plain) return { holds: [], missing: walls.map((wall) => ({ wall, why: whyPlain(started) })) }
    const signal = AbortSignal.timeout(check_ms_max)
    const program = {
      argv: ["/bin/sh", "-c", ":"],
      timeout_ms: check_ms_max,
      output_bytes_max: 4096,
      signal,
    }
    const { status } = await track(run(program, required))
    const { holds, missing } = status!
    const silent = walls.filter((wall) => !holds.includes(wall) && !missing.some((one) => one.wall === wall))
    return { holds, missing: [...missing, ...silent.map((wall) => ({ wall, why: toSentence(status!) }))] }
  }

  return {
    execute,
    check,
    async [Symbol.asyncDispose]() {
      disposal.abort(new Error("The gateway is stopping."))
      await Promise.all(running)
      await stack.disposeAsync()
    },
  }
}

const whyPlain = (launcher: Launcher): string =>
  "missing" in launcher ? launcher.missing : "the sandbox is switched off"

/** The gateway's home and a person's: no guess of ours about where programs lie may uncover them. */
function hiddenFrom({ run_folder, env }: SandboxOptions): string[] {
  return [dirname(run_folder), userInfo().homedir, ...(env.HOME ? [env.HOME] : [])].map(toReal)
}

/** What stays the same from call to call. The run folder is there already. */
function toGrants(options: SandboxOptions, path: readonly string[]): string[] {
  const { policy, limits, run_folder } = options
  const home = toReal(dirname(run_folder))
  for (const granted of [...policy.read, ...policy.write, policy.workspace]) {
    if (isWithin(home, toReal(granted)))
      throw new ToolDenied(`The folder ${granted} cannot be granted: it holds the gateway's own files.`)
  }
  const system = systemGrants([home])
  const read = new Set([...system.read, ...pathGrants(path, hiddenFrom(options)), ...policy.read])
  const write = new Set([...system.write, policy.workspace, ...policy.write])
  const limited = {
    "--limit-processes": limits.processes_max,
    "--limit-files": files_max,
    "--limit-file-bytes": limits.file_bytes_max,
    "--limit-memory-bytes": limits.memory_bytes_max,
  }
  return [
    ...[...read].flatMap((granted) => ["--read", granted]),
    ...[...write].flatMap((granted) => ["--write", granted]),
    ...Object.entries(limited).flatMap(([name, value]) => [name, `${value}`]),
  ]
}

const toReal = (path: string): string => (existsSync(path) ? realpathSync(path) : path)

function toExecuted(program: Program, executed: Ran["executed"], status: Status): Executed {
  const missing = status.missing.map(({ wall }) => wall)
  const { end } = status
  if (end?.type === "refused") throw new ToolDenied(toDenial(status.missing))
  if (end?.type === "failed") throw new Error(toFailure(program, end.step, end.error))
  if (executed.exceeded) return { ...executed, missing }
  if (!end) throw new Error("The sandbox was ended from outside, and the program with it.")
  if (end.type === "exit") return { ...executed, exit_code: end.code, signal: null, missing }
  if (end.type === "signal") return { ...executed, exit_code: null, signal: end.name, missing }
  return {
    ...executed,
    exit_code: null,
    signal: "SIGKILL",
    exceeded: end.limit === "memory" ? "memory" : "processes",
    missing,
  }
}
