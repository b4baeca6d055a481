import { mkdirSync } from "node:fs"
import { join } from "node:path"

const binary = join(import.meta.dir, "../../dist/bench/ws-load")
const source = join(import.meta.dir, "ws-load.c")

export const ping = '{"jsonrpc":"2.0","id":@,"method":"ping"}'
const done = '"result":'

export type Load = {
  per_second: number
  count: number
  client_cpu: number
  p50_ms?: number
  p99_ms?: number
}

type Place = { port: number; token: string }

/** Compiled on first use; `ws-load.c` says why it is in C. */
export async function compileLoadClient(): Promise<void> {
  const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang")
  if (!compiler) throw new Error("there is no C compiler for the load client (cc, gcc or clang)")
  if (process.platform !== "linux") throw new Error("the load client needs Linux (epoll)")
  mkdirSync(join(binary, ".."), { recursive: true })
  await output([compiler, "-std=c11", "-O2", "-Wall", "-Wextra", source, "-o", binary])
}

export async function load(
  { port, token }: Place,
  options: { sockets: number; in_flight: number; seconds: number; request: string },
): Promise<Load> {
  const { sockets, in_flight, seconds, request } = options
  const words = [port, token, sockets, in_flight, seconds, request, done].map(String)
  return JSON.parse(await output([binary, "load", ...words]))
}

/** Milliseconds from exec to the first answer over the socket. */
export async function firstReplyMs(place: Place, command: string[], env = {}): Promise<number> {
  const { ms } = JSON.parse(await output([binary, "first", `${place.port}`, place.token, ...command], env))
  return ms
}

/** Milliseconds from exec to exit. */
export async function runMs(command: string[]): Promise<number> {
  return JSON.parse(await output([binary, "run", ...command])).ms
}

/** Opens sockets and keeps them until `close`, which answers how many the server still held. */
export async function openIdle({ port, token }: Place, sockets: number) {
  const child = Bun.spawn([binary, "idle", `${port}`, token, `${sockets}`], { stdin: "pipe", stdout: "pipe" })
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  const { value } = await lines.read()
  if (!value) throw new Error(`the client could not open ${sockets} sockets`)
  return {
    async close(): Promise<number> {
      child.stdin.end()
      const { value: last = '{"held":0}' } = await lines.read()
      await child.exited
      return JSON.parse(last).held
    },
  }
}

async function output(command: string[], env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe", env: { ...process.env, ...env } })
  const [text, error, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (status !== 0) throw new Error(`${command[0]} failed: ${error.trim()}`)
  return text
}
