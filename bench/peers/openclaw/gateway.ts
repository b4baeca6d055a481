import { existsSync } from "node:fs"
import { join } from "node:path"
import { freePort, type Home } from "../../servers.ts"
import { openAnswers, type PeerGateway, startHealthy } from "../gateway.ts"

const folder = import.meta.dir
const token = "bench-token"

/** From npm, with its lock, into this folder; the second time nothing is fetched. Its install scripts stay off. */
export async function installOpenclaw(): Promise<void> {
  if (existsSync(join(folder, "node_modules/.installed"))) return
  const npm = Bun.which("npm")
  if (!npm) throw new Error("npm is needed to install openclaw")
  const command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  const child = Bun.spawn(command, { cwd: folder, stdout: "ignore", stderr: "pipe" })
  const [error, status] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (status !== 0) throw new Error(`openclaw could not be installed: ${error.trim()}`)
  await Bun.write(join(folder, "node_modules/.installed"), "")
}

export async function startOpenclaw(home: Home, provider_url: string): Promise<PeerGateway> {
  await using started = new AsyncDisposableStack()
  const port = freePort()
  await Bun.write(join(home.path, "openclaw.json"), JSON.stringify(configurationOf(port, home, provider_url)))
  const { child, begun, start_ms } = await startHealthy(
    [nodePath(), join(folder, "node_modules/openclaw/openclaw.mjs"), "gateway", "--port", `${port}`],
    environmentOf(home),
    `http://127.0.0.1:${port}/healthz`,
    join(home.path, "log"),
    started,
  )
  const answers = await connectWhenReady(`ws://127.0.0.1:${port}/`)
  const connected_ms = performance.now() - begun
  started.defer(answers.close)
  const until = started.move()
  return {
    start_ms,
    connected_ms,
    pid: child.pid,
    turn(session) {
      const run = crypto.randomUUID()
      const params = { sessionKey: `agent:main:${session}`, message: "hello", idempotencyKey: run }
      return answers.send({ type: "req", id: run, method: "chat.send", params }, run)
    },
    [Symbol.asyncDispose]: () => until.disposeAsync(),
  }
}

/** It is healthy seconds before it lets a client in, and says so. */
async function connectWhenReady(url: string) {
  for (let tries = 0; ; tries++) {
    const answers = await openAnswers(url, answerOf)
    const refused = await answers.send(connectFrame(), "connect").then(
      () => undefined,
      (error: Error) => error,
    )
    if (!refused) return answers
    answers.close()
    if (tries === 600 || !refused.message.includes("UNAVAILABLE")) throw refused
    await Bun.sleep(100)
  }
}

/** A request's first answer is only an acknowledgement; the run ends with the chat event "final". */
function answerOf(text: string) {
  const frame = JSON.parse(text)
  if (frame.type === "res" && frame.id === "connect") return { key: "connect", failed: !frame.ok }
  if (frame.type === "res" && !frame.ok) return { key: `${frame.id}`, failed: true }
  if (frame.event !== "chat" || !["final", "error", "aborted"].includes(frame.payload.state)) return null
  return { key: `${frame.payload.runId}`, failed: frame.payload.state !== "final" }
}

function connectFrame() {
  const client = { id: "gateway-client", version: "1.0.0", platform: process.platform, mode: "backend" }
  const scopes = ["operator.read", "operator.write"]
  const params = { minProtocol: 4, maxProtocol: 4, client, role: "operator", scopes, auth: { token } }
  return { type: "req", id: "connect", method: "connect", params }
}

function nodePath(): string {
  const node = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`)
  if (existsSync(node)) return node
  throw new Error(`package.json here names no Node 24 for ${process.platform}-${process.arch}`)
}

function environmentOf({ path }: Home): Record<string, string> {
  return {
    PATH: `${join(nodePath(), "..")}:/usr/bin:/bin`,
    HOME: path,
    OPENCLAW_STATE_DIR: join(path, "state"),
    OPENCLAW_CONFIG_PATH: join(path, "openclaw.json"),
  }
}

/** Loopback only, its default plugins, no heartbeat, as many turns at once as there are sessions. */
const configurationOf = (port: number, { path }: Home, provider_url: string) => ({
  gateway: { mode: "local", port, bind: "loopback", auth: { mode: "token", token } },
  agents: {
    defaults: {
      workspace: join(path, "workspace"),
      skipBootstrap: true,
      model: { primary: "bench/instant" },
      maxConcurrent: 20,
      heartbeat: { every: "0m" },
    },
  },
  models: {
    mode: "replace",
    providers: {
      bench: {
        baseUrl: provider_url,
        apiKey: "none",
        api: "openai-completions",
        models: [
          {
            id: "instant",
            name: "instant",
            reasoning: false,
            input: ["text"],
            cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
            contextWindow: 128_000,
            maxTokens: 4096,
          },
        ],
      },
    },
  },
})
