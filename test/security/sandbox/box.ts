import { test } from "bun:test"
import { chownSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Executed } from "../../../src/security/sandbox/execute.ts"
import type { Checked, SandboxMode } from "../../../src/security/sandbox/sandbox.ts"
import { temporaryFolder } from "../../harness.ts"
import { needs } from "../../needs.ts"
import type { Task } from "./gateway.ts"

export const is_root = process.getuid?.() === 0
const nobody = 65_534

/** Who runs the gateway, and what the system grants: `bare` is one where no namespaces are to be had. */
export type Variant = { name: string; user: number; bare: boolean }

export const variants: Variant[] = [
  { name: "whoever this is", user: process.getuid?.() ?? 0, bare: false },
  { name: "whoever this is, without namespaces", user: process.getuid?.() ?? 0, bare: true },
  ...(is_root
    ? [
        { name: "an ordinary user", user: nobody, bare: false },
        { name: "an ordinary user, without namespaces", user: nobody, bare: true },
      ]
    : []),
]

export const helper = join(import.meta.dir, "../../../native/build/sandbox")
/** Empty where there was no compiler. */
const is_built = (statSync(helper, { throwIfNoEntry: false })?.size ?? 0) > 0
const has_namespaces =
  is_built && Bun.which("unshare") && Bun.spawnSync(["unshare", "-Upnm", "-f", "/bin/true"]).success

/** A test with the helper. The machine may be busy with others. */
export function walled(name: string, body: () => Promise<void>): void {
  const wanted = needs({ platform: "linux", command: ["setpriv", "unshare"] })
  if (is_built && !has_namespaces) test.skip(`${name} (needs user namespaces)`, body)
  else if (is_built) wanted(name, body, 60_000)
  else test.skip(`${name} (needs a C compiler)`, body)
}

/** As whom a command is run. */
export const asUser = (user: number): string[] =>
  user === process.getuid?.() ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"]

/**
 * The helper in a user namespace in which no further one may be made, and without a capability: like a container, which
 * forbids the same in another way.
 */
export function bareLauncher(user: number): string[] {
  const forbid = "echo 0 > /proc/sys/user/max_user_namespaces"
  const drop = "exec setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all"
  return [
    ...["unshare", "-U", `--map-user=${user}`, `--map-group=${user}`, "--keep-caps", "/bin/sh", "-c"],
    `${forbid} 3>&- && ${drop} "$0" "$@"`,
    helper,
  ]
}

export type Box = AsyncDisposable & {
  folder: string
  home: string
  workspace: string
  outside: string
  /** Runs programs one after the other in one sandbox, as a gateway of its own would. */
  run(programs: Partial<Task["programs"][number]>[], change?: Change): Promise<Answers>
  task(programs: Partial<Task["programs"][number]>[], change?: Change): string[]
  options(change?: Change): Task["options"]
}

export type Change = {
  mode?: SandboxMode
  limits?: Partial<Task["options"]["limits"]>
  policy?: Partial<Task["options"]["policy"]>
  env?: Record<string, string>
  launcher?: Task["options"]["launcher"]
}
export type Answer = Executed & { error?: string; message?: string }
export type Answers = { answers: Answer[]; checked: Checked; pid: number }

/** A gateway's home with a workspace in it, and a folder outside; all of it belongs to the variant's user. */
export async function openBox({ user, bare }: Variant): Promise<Box> {
  await using stack = new AsyncDisposableStack()
  const folder = realpathSync(stack.use(await temporaryFolder()).path)
  const own = (path: string) => {
    mkdirSync(path, { mode: 0o755 })
    chownSync(path, user, user)
    return path
  }
  chownSync(folder, user, user)
  const home = own(join(folder, "home"))
  const [workspace, outside] = [own(join(home, "workspace")), own(join(folder, "outside"))]

  function options(change: Change = {}): Task["options"] {
    const launcher =
      change.launcher ?? (bare ? { argv: bareLauncher(user), kind: "helper" as const } : undefined)
    return {
      policy: {
        mode: change.mode ?? "prefer",
        workspace,
        read: [],
        write: [],
        network: [],
        ...change.policy,
      },
      limits: {
        memory_bytes_max: 1_073_741_824,
        processes_max: 200,
        file_bytes_max: 104_857_600,
        ...change.limits,
      },
      run_folder: join(home, "run"),
      env: { PATH: process.env.PATH, ...change.env },
      ...(launcher && { launcher }),
    }
  }

  function task(programs: Partial<Task["programs"][number]>[], change: Change = {}): string[] {
    const usual = { argv: ["/bin/true"], timeout_ms: 20_000, output_bytes_max: 65_536 }
    const given: Task = {
      options: options(change),
      programs: programs.map((program) => ({ ...usual, ...program })),
    }
    const script = join(import.meta.dir, "gateway.ts")
    return [...asUser(user), process.execPath, "--no-env-file", script, JSON.stringify(given)]
  }

  async function run(programs: Partial<Task["programs"][number]>[], change: Change = {}): Promise<Answers> {
    const child = Bun.spawn(task(programs, change), {
      env: { PATH: process.env.PATH, HOME: home, WEFT_CANARY: "a canary sings" },
      stdio: ["ignore", "pipe", "inherit"],
    })
    const lines = (await new Response(child.stdout).text()).split("\n").filter(Boolean)
    const answers = lines.map((line) => JSON.parse(line))
    return { checked: answers.pop(), answers, pid: child.pid }
  }

  const kept = stack.move()
  return {
    folder,
    home,
    workspace,
    outside,
    run,
    task,
    options,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

export const sh = (script: string) => ({ argv: ["/bin/sh", "-c", script] })

/** A word that no other process has among its arguments, as a number of seconds. */
export const marker = (): string => `1000.${crypto.getRandomValues(new Uint32Array(2)).join("")}`

/** The processes of this machine that are alive and have the word among their arguments. */
export function findMarked(word: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
        return words.includes(word)
      } catch (thrown) {
        // It ended meanwhile.
        if (!["ENOENT", "ESRCH"].includes((thrown as NodeJS.ErrnoException).code ?? "")) throw thrown
        return false
      }
    })
}
