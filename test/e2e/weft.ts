/** The compiled executable as its users have it: started, asked, signalled and killed from outside. */
import { Database } from "bun:sqlite"
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { type Model, openSocket, type RawClient } from "../harness.ts"

const root = join(import.meta.dir, "../..")
const executable = join(root, "dist/weft")
build()

/** Where the executable is missing or older than its source. Test processes share one build. */
function build(): void {
  if (isFresh()) return
  mkdirSync(join(root, "dist"), { recursive: true })
  // A lock that dies with its process; whoever waits finds the work done.
  using lock = new Database(join(root, "dist/build.lock"))
  lock.run("PRAGMA busy_timeout = 120000; BEGIN EXCLUSIVE")
  if (isFresh()) return
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, "scripts/build.ts"], { cwd: root })
  if (exitCode !== 0) throw new Error(`the build failed: ${stderr}`)
}

function isFresh(): boolean {
  if (!existsSync(executable)) return false
  const built_ms = statSync(executable).mtimeMs
  const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return [join(root, "package.json"), ...sources].every((path) => statSync(path).mtimeMs <= built_ms)
}

export type Place = {
  cwd?: string
  /** All of the environment beside PATH and HOME. */
  env?: Record<string, string>
  /** A program before it, with its arguments: strace, setpriv. */
  through?: string[]
}

export type Ran = { status: number | null; out: string; err: string }

/** Runs a command to its end. */
export async function run(
  args: string[],
  { stdin = "", ...place }: Place & { stdin?: string } = {},
): Promise<Ran> {
  const child = spawn(args, place, new Blob([stdin]))
  const text = Bun.readableStreamToText
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  await child.exited
  return { status: child.exitCode, out, err }
}

export type Running = AsyncDisposable & {
  pid: number
  url: string
  ws: string
  home: string
  token: string
  /** From exec to the line that says it listens. */
  started_in_ms: number
  /** Everything it has written so far, on both streams. */
  said(): string
  kill(signal: NodeJS.Signals): void
  exited: Promise<number | null>
  client(): Promise<RawClient>
  /** An HTTP request with the operator's token. */
  fetch(path: string, init?: RequestInit): Promise<Response>
}

/** Starts a gateway on a free port and waits until it says that it listens. Killed at the end of the scope. */
export async function startWeft({
  home,
  config,
  args = [],
  ...place
}: Place & { home: string; config?: string; args?: string[] }): Promise<Running> {
  if (config !== undefined) await Bun.write(join(home, "config.toml"), config)
  const begun = performance.now()
  const child = spawn(["gateway", "--json", "--home", home, "--port", "0", ...args], place)
  let said = ""
  const first = Promise.withResolvers<void>()
  const collect = async (stream: ReadableStream<Uint8Array>, each?: () => unknown) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) {
      said += decoder.decode(bytes, { stream: true })
      each?.()
    }
  }
  const reading = [
    collect(child.stdout, () => said.includes('{"url"') && first.resolve()),
    collect(child.stderr),
  ]
  const exited = child.exited.then(() => Promise.all(reading)).then(() => child.exitCode)
  await Promise.race([first.promise, exited])
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the gateway ended: ${said}`)
  const started_in_ms = performance.now() - begun
  const { url, pid } = JSON.parse(/^\{"url".*$/m.exec(said)![0]) as { url: string; pid: number }
  const token = (await Bun.file(join(home, "token")).text()).trim()
  const ws = `${url.replace("http", "ws")}/ws`
  return {
    pid,
    url,
    ws,
    home,
    token,
    started_in_ms,
    said: () => said,
    kill: (signal) => process.kill(pid, signal),
    exited,
    client: () => openSocket(ws, { token }),
    fetch: (path, { headers, ...init } = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...headers } }),
    async [Symbol.asyncDispose]() {
      // Through another program the pid is not the child's; a dead one is not to be signalled again.
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, "SIGKILL")
      await exited
    },
  }
}

/** The environment is made from nothing: what the tests run with must not configure what they test. */
function spawn(args: string[], { cwd = "/", env = {}, through = [] }: Place, stdin?: Blob) {
  return Bun.spawn([...through, executable, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
    stdin: stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
}

/** A configuration whose default agent is answered by the scripted model. */
export const configFor = ({ url }: Model, more = ""): string => `
[agent]
provider = "script"
model = "scripted"
[providers.script]
kind = "openai-compatible"
base_url = "${url}"
idle_timeout_ms = 120000
${more}`

/** The store of a home, for reading what was left in it. */
export const openHomeStore = (home: string): Database =>
  new Database(join(home, "weft.db"), { readonly: true })
