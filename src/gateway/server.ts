import { Elysia } from "elysia"
import { AppError } from "../base/errors.ts"
import type { App } from "./app.ts"
import { type Caller, scopes } from "./auth.ts"
import type { GatewayConfig } from "./config.ts"
import { type Guard, openGuard } from "./guard.ts"
import { errorResponse, text } from "./http/body.ts"
import type { Endpoint, HttpContext } from "./http/endpoint.ts"
import { isWebhook, webhook_path } from "./http/webhook.ts"
import { endpoints, serve } from "./http.ts"
import { type Dispatcher, reported } from "./rpc.ts"
import type { Sockets } from "./sockets.ts"

export type Server = { url: string; port: number; stop(): Promise<void> }

type BunServer = ReturnType<typeof Bun.serve>

/** What Elysia hands to a handler, as far as we use it. */
type Call = { request: Request; server: BunServer | null }

/** Everybody is the operator, where the configuration says so; only a loopback bind may. */
const anybody: Caller = { token_id: "", name: "loopback", scopes, agents: null, expires_ms: null }

/** Sockets that send nothing are asked for a sign of life after this long. */
const idle_s = 120

/** At the end, answers that are on their way have so long to get out. */
const flush_ms_max = 1000

/**
 * The only file that knows Elysia. It reads the source of its handlers, so they stay one line long, and its own
 * WebSocket layer parses frames by guesswork, so the upgrade is done on the server beneath it.
 */
export async function startServer(
  app: App,
  dispatcher: Dispatcher,
  sockets: Sockets,
  config: GatewayConfig,
): Promise<Server> {
  const guard = followingGuard(app)
  const respond = (call: Call) => route({ app, dispatcher, sockets, guard: guard(), config }, call)
  const elysia = new Elysia({
    websocket: {
      maxPayloadLength: config.payload_bytes_max,
      // Above what an outbox lets wait, so that Bun never drops anything by itself.
      backpressureLimit: 64 * 1024 * 1024,
      idleTimeout: idle_s,
      perMessageDeflate: false,
    },
  })
  // One route, found by us: Elysia would compile each of its own at its first request.
  elysia.all("/*", (call) => respond(call as unknown as Call), { parse: "none" })
  const tls = config.tls && { cert: Bun.file(config.tls.cert), key: Bun.file(config.tls.key) }
  const listen = () =>
    elysia.listen({
      hostname: config.bind,
      port: config.port,
      // The default lets a second gateway bind the same port without a word.
      reusePort: false,
      // The default sends a page with the text of an error to whoever caused it.
      development: false,
      maxRequestBodySize: Math.max(config.file_bytes_max, config.payload_bytes_max),
      ...(tls && { tls }),
    })
  orRefused(listen, config)
  const { port } = elysia.server!
  return {
    url: `${config.tls ? "https" : "http"}://${ownHost(config.bind)}:${port}`,
    port: port!,
    async stop() {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, flush_ms_max)
      await Promise.race([elysia.server!.stop(false), late.promise])
      clearTimeout(timer)
      await elysia.stop(true)
    },
  }
}

/** What this machine's own programs connect to: "every address" is one to listen on only. */
function ownHost(bind: string): string {
  if (bind === "0.0.0.0") return "127.0.0.1"
  if (bind === "::") return "[::1]"
  return bind.includes(":") ? `[${bind}]` : bind
}

/** Says in the operator's words why the server cannot start: the address is taken or foreign, or the certificate is bad. */
function orRefused(listen: () => unknown, { bind, port, tls }: GatewayConfig): void {
  try {
    listen()
  } catch (thrown) {
    const { code: reason, syscall } = thrown as NodeJS.ErrnoException
    if (syscall === "listen") throw new AppError("address_unavailable", { bind, port, reason }, thrown)
    if (!tls) throw thrown
    const expected = "a certificate and its key as PEM files"
    throw new AppError("invalid_config", { key: "gateway.tls", expected, got: reason }, thrown)
  }
}

/** Hosts, origins and proxies are those of the configuration in force, which may change while the server runs. */
function followingGuard(app: App): () => Guard {
  let seen = app.live().gateway
  let guard = openGuard(seen)
  return () => {
    const { gateway } = app.live()
    if (gateway !== seen) {
      guard = openGuard(gateway)
      seen = gateway
    }
    return guard
  }
}

type Serving = { app: App; dispatcher: Dispatcher; sockets: Sockets; guard: Guard; config: GatewayConfig }

const table = new Map(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]))
const paths = new Set(["/ws", ...endpoints.map(({ path }) => path)])

/** Host and Origin first, then the one canonical path, then the endpoint; what is not in the table is not there. */
function route(serving: Serving, call: Call): Response | undefined | Promise<Response> {
  const { request } = call
  const refused = serving.guard.refuse(request.headers)
  if (refused) return text(`${refused.reason}\n`, refused.status)
  // CONNECT may name what is no address at all.
  const pathname = URL.parse(request.url)?.pathname ?? ""
  // Bun leaves the body of an answer to HEAD out.
  const method = request.method === "HEAD" ? "GET" : request.method
  if (pathname === "/ws" && method === "GET") return upgrade(serving, call)
  // The one path with a name in it; none of the others begins like it.
  const path = isWebhook(pathname) ? webhook_path : pathname
  const endpoint = table.get(`${method} ${path}`)
  if (endpoint) return answer(serving, endpoint, call)
  return paths.has(path) ? text("method not allowed\n", 405) : text("not found\n", 404)
}

function upgrade({ app, sockets, guard, config }: Serving, { request, server }: Call): Response | undefined {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("a WebSocket upgrade is needed\n", { status: 426, headers: { upgrade: "websocket" } })
  }
  try {
    const address = addressOf(guard, server!, request)
    const caller = callerOf(app, config, request, address)
    const admission = sockets.admit(request.headers, address, caller)
    if ("refused" in admission) {
      if (admission.refused === "unknown_protocol")
        return text("the subprotocols are weft.v1 and exoclaw\n", 400)
      return errorResponse(admission.refused)
    }
    const { handlers, protocol } = admission
    const headers = protocol === undefined ? {} : { "sec-websocket-protocol": protocol }
    if (server!.upgrade(request, { headers, data: handlers as never })) return undefined
    sockets.abandon(caller !== undefined)
    return text("the upgrade failed\n", 400)
  } catch (thrown) {
    return errorResponse(reported(thrown, app))
  }
}

function answer({ app, dispatcher, guard, config }: Serving, endpoint: Endpoint, { request, server }: Call) {
  const open = (): HttpContext => {
    const address = addressOf(guard, server!, request)
    const caller = endpoint.scope === "none" ? undefined : callerOf(app, config, request, address)
    // Until its body is here, a request is under the idle timer, so that nobody can hold many open by sending nothing.
    const waitForModel = () => server!.timeout(request, 0)
    return { app, dispatcher, request, address, caller, waitForModel }
  }
  return serve(endpoint, open, app)
}

const addressOf = (guard: Guard, server: BunServer, request: Request) =>
  guard.clientAddress(server.requestIP(request)?.address ?? "", request.headers)

/**
 * Who the Authorization header makes the client. Throws for a wrong token. Undefined without one, also where a browser
 * or a proxy put another scheme's credentials there.
 */
function callerOf(app: App, { auth }: GatewayConfig, request: Request, address: string): Caller | undefined {
  if (auth === "none") return anybody
  const [scheme = "", ...rest] = (request.headers.get("authorization") ?? "").split(" ")
  return scheme.toLowerCase() === "bearer" ? app.auth.authenticate(rest.join(" ").trim(), address) : undefined
}
