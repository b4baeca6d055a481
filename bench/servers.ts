import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildExecutable } from "../scripts/executable.ts"

const root = join(import.meta.dir, "..")

/** What is measured and what it is held against, all built the same way. */
export const executables = {
  weft: join(root, "dist/weft"),
  empty: join(root, "dist/bench/empty"),
  echo: join(root, "dist/bench/echo"),
  smallest: join(root, "dist/bench/elysia-sqlite"),
}

export type Server = AsyncDisposable & { pid: number; port: number; token: string }
export type Home = Disposable & { path: string }

/** Once before all figures, so that they are of one state of the code, and never of an old one. */
export async function buildExecutables(): Promise<void> {
  await buildExecutable(join(root, "src/main.ts"), executables.weft)
  await buildExecutable(join(root, "bench/reference/empty.ts"), executables.empty)
  await buildExecutable(join(root, "bench/reference/echo.ts"), executables.echo)
  await buildExecutable(join(root, "bench/reference/elysia-sqlite.ts"), executables.smallest)
}

/** A home with the given configuration, gone at the end. */
export function makeHome(): Home {
  const path = mkdtempSync(join(tmpdir(), "weft-bench-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** The environment of a measured process: no key and no setting of the person who measures. */
export function environmentOf(home: Home): Record<string, string> {
  return { PATH: process.env.PATH ?? "", HOME: home.path, WEFT_HOME: join(home.path, "weft") }
}

export function freePort(): number {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } })
  return listener.port
}

export const gatewayCommand = (port: number) => [executables.weft, "gateway", "--port", `${port}`]

/** `fields` are further ones of the agent, `sections` further sections, as TOML. */
export async function startGateway(
  home: Home,
  provider_url?: string,
  fields = "",
  sections = "",
): Promise<Server> {
  const port = freePort()
  const path = join(home.path, "weft/config.toml")
  if (provider_url) await Bun.write(path, `${configurationOf(provider_url, fields)}${sections}`)
  const server = await startServer(gatewayCommand(port), port, home)
  const token = (await Bun.file(join(home.path, "weft/token")).text()).trim()
  return { ...server, token }
}

/** Nothing but the loopback provider may answer: it has a key, and is named. */
const configurationOf = (provider_url: string, fields: string) => `
[agent]
${fields}
provider = "bench"
model = "instant"

[providers.bench]
kind = "openai-compatible"
base_url = "${provider_url}"
api_key = "none"
`

/** Starts a command that listens on the port, and waits until it accepts. What it says is kept in the home. */
export async function startServer(command: string[], port: number, home: Home): Promise<Server> {
  const said = Bun.file(join(home.path, "stderr"))
  const child = Bun.spawn(command, { env: environmentOf(home), stdout: "ignore", stderr: said })
  const server = {
    pid: child.pid,
    port,
    token: "none",
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM")
      await child.exited
    },
  }
  for (let tries = 0; tries < 1000; tries++) {
    if (child.exitCode !== null) throw new Error(`${command[0]} ended: ${await said.text()}`)
    if (await accepts(port)) return server
    await Bun.sleep(10)
  }
  await server[Symbol.asyncDispose]()
  throw new Error(`${command[0]} does not listen after 10 s`)
}

async function accepts(port: number): Promise<boolean> {
  const connected = Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => undefined } })
  return connected.then(
    (socket) => {
      socket.end()
      return true
    },
    () => false,
  )
}

/** The instant model in a process of its own, so that its work is not the gateway's. */
export async function startProvider() {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "load/instant-provider.ts")], {
    stdout: "pipe",
  })
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
  const url = (await reader.read()).value?.trim()
  if (!url) throw new Error("the instant provider did not start")
  return {
    url,
    last: async () => (await fetch(url.replace("/v1", "/last"))).json(),
    async [Symbol.asyncDispose]() {
      child.kill()
      await child.exited
    },
  }
}
