import { join } from "node:path"
import { AppError } from "../base/errors.ts"
import {
  type Client,
  type ConnectionState,
  connect,
  type WebSocketConstructor,
  WeftError,
} from "../client/client.ts"
import { findHome } from "../config/home.ts"
import { type GatewayArgs, logLevel } from "./args.ts"
import type { Deps } from "./deps.ts"
import { UsageError } from "./find-command.ts"
import { note } from "./output.ts"

export type Connected = AsyncDisposable & {
  client: Client
  url: string
  home: string
  /** Whether the gateway was started for this command, and ends with it. */
  is_private: boolean
}

export type OpenOptions = {
  /** Start a gateway in this process where none runs; else that is `unreachable`. */
  start?: boolean
  onState?: (state: ConnectionState) => void
  connect_timeout_ms?: number
}

/**
 * Connects to the gateway that `--url` names, else to the one that runs on this home, else to one started here for
 * as long as the command lasts. All three are spoken to over the same socket.
 */
export async function openGateway(
  args: GatewayArgs,
  deps: Deps,
  { start = true, ...others }: OpenOptions = {},
): Promise<Connected> {
  const { home } = findHome(args)
  const options = {
    client: { name: "weft-cli", version: deps.version },
    reconnect: { attempts_max: 20 },
    ...others,
  }
  if (args.url) {
    checkUrl(args.url)
    const token = args.token ?? process.env.WEFT_TOKEN
    const client = await connect({ ...options, url: args.url, ...(token ? { token } : {}) })
    return lasting(client, args.url, home)
  }
  const reach = async (url: string) => {
    const client = await connectLocal(url, await localToken(args, home), options)
    return client && lasting(client, url, home)
  }
  const running = await findRunning(home)
  const reached = running && (await reach(running.url))
  if (reached) return reached
  if (!start) throw new AppError("unreachable", { home, hint: "start one with: weft gateway" })
  try {
    return await startPrivate(args, deps, home, options)
  } catch (thrown) {
    // The gateway that had not listened yet when it was looked for does so now.
    const url = urlOfHolder(thrown)
    const started = url === undefined ? undefined : await reach(url)
    if (started) return started
    throw withHint(thrown)
  }
}

/** What is typed without a scheme may be a URL all the same: that of "localhost:7200" would be "localhost". */
function checkUrl(url: string): void {
  if (/^(https?|wss?):\/\//i.test(url) && URL.canParse(url)) return
  throw new UsageError(`--url needs an address such as http://127.0.0.1:7200, not "${url}".`)
}

/** A holder that tells nobody where it listens is a command with a gateway of its own, such as a chat. */
function withHint(thrown: unknown): unknown {
  if (!(thrown instanceof AppError) || thrown.code !== "already_running") return thrown
  const hint =
    "a chat has a gateway of its own there; with `weft gateway` running all commands share that one"
  return thrown.data.url === undefined ? new AppError(thrown.code, { ...thrown.data, hint }, thrown) : thrown
}

const urlOfHolder = (thrown: unknown): string | undefined =>
  thrown instanceof AppError && thrown.code === "already_running" && typeof thrown.data.url === "string"
    ? thrown.data.url
    : undefined

/** A gateway that goes on without this command. */
const lasting = (client: Client, url: string, home: string): Connected => ({
  client,
  url,
  home,
  is_private: false,
  [Symbol.asyncDispose]: async () => client.close(),
})

type ClientOptions = Omit<Parameters<typeof connect>[0], "url" | "token">

async function startPrivate(
  args: GatewayArgs,
  deps: Deps,
  home: string,
  options: ClientOptions,
): Promise<Connected> {
  const gateway = await deps.startGateway({
    home,
    ...(args.config ? { config_path: args.config } : {}),
    flags: { gateway: { port: 0, bind: "127.0.0.1" } },
    log_level: logLevel("error"),
    private: true,
  })
  for (const warning of gateway.warnings) note(`warning: ${warning}`)
  try {
    const client = await connect({
      ...options,
      ...trust(gateway.url),
      url: gateway.url,
      token: gateway.token,
    })
    return {
      client,
      url: gateway.url,
      home,
      is_private: true,
      async [Symbol.asyncDispose]() {
        client.close()
        await gateway.stop("drain")
      },
    }
  } catch (thrown) {
    await gateway.stop("now")
    throw thrown
  }
}

/** Undefined where nobody answers: what gateway.json says may be left over from a crash. */
async function connectLocal(url: string, token: string, options: ClientOptions): Promise<Client | undefined> {
  try {
    return await connect({ ...options, ...trust(url), url, ...(token ? { token } : {}) })
  } catch (thrown) {
    if (thrown instanceof WeftError && thrown.code === "unreachable") return undefined
    throw thrown
  }
}

async function findRunning(home: string): Promise<{ pid: number; url: string } | undefined> {
  try {
    const told: { pid?: unknown; url?: unknown } | null = await Bun.file(join(home, "gateway.json")).json()
    const { pid, url } = told ?? {}
    return typeof pid === "number" && typeof url === "string" && isAlive(pid) ? { pid, url } : undefined
  } catch (thrown) {
    // It goes with its gateway, at any moment; and half of one is as good as none.
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT" || thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    // Somebody else's process is alive, too.
    return (thrown as NodeJS.ErrnoException).code === "EPERM"
  }
}

async function localToken({ token }: GatewayArgs, home: string): Promise<string> {
  const given = token ?? process.env.WEFT_TOKEN
  if (given) return given
  const file = Bun.file(join(home, "token"))
  return (await file.exists()) ? (await file.text()).trim() : ""
}

/**
 * A gateway with TLS has a certificate for its public name, not for the address it is bound to. Only the one that wrote this home's
 * gateway.json and still lives is trusted without it.
 */
function trust(url: string): { WebSocket?: WebSocketConstructor } {
  if (!/^(https|wss):/.test(url)) return {}
  class LocalSocket extends WebSocket {
    constructor(socket_url: string, protocols: string[] | string = []) {
      super(socket_url, { protocols, tls: { rejectUnauthorized: false } } as never)
    }
  }
  return { WebSocket: LocalSocket }
}
