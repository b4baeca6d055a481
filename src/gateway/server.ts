import { Elysia } from "elysia"
import type { App } from "./app.ts"
import type { Caller } from "./auth.ts"
import type { GatewayConfig } from "./config.ts"
import { type Guard, openGuard } from "./guard.ts"
import { errorResponse, text } from "./http/body.ts"
import { type Endpoint, endpoints, type HttpContext, serve } from "./http.ts"
import { type Dispatcher, reported } from "./rpc.ts"
import type { Sockets } from "./sockets.ts"

export type Server = { url: string; port: number; stop(): Promise<void> }

type BunServer = ReturnType<typeof Bun.serve>

/** What Elysia hands to a handler, as far as we use it. */
type Call = { request: Request; server: BunServer | null }

/** Everybody is the operator, where the configuration says so; only a loopback bind may. */
const anybody: Caller = { token_id: "", name: "loopback", scope: "admin", agents: null, expires_ms: null }

/** Sockets that send nothing are asked for a sign of life after this long. */
const idle_s = 120

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
  const elysia = new Elysia({
    websocket: {
      maxPayloadLength: config.payload_bytes_max,
      // Above what an outbox lets wait, so that Bun never drops anything by itself.
      backpressureLimit: 64 * 1024 * 1024,
      idleTimeout: idle_s,
      perMessageDeflate: false,
    },
  })
  elysia.onRequest(({ request }) => refusal(guard(), request))
  elysia.get("/ws", (call) => upgrade(app, sockets, guard(), config, call as unknown as Call))
  for (const endpoint of endpoints) {
    const handle = (call: Call) => answer(app, dispatcher, guard(), config, endpoint, call)
    elysia.route(endpoint.method, endpoint.path, (call) => handle(call as unknown as Call), { parse: "none" })
  }
  elysia.all("/*", () => text("not found\n", 404))
  const tls = config.tls && { cert: Bun.file(config.tls.cert), key: Bun.file(config.tls.key) }
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
  const { port } = elysia.server!
  const host = config.bind.includes(":") ? `[${config.bind}]` : config.bind
  return {
    url: `${config.tls ? "https" : "http"}://${host}:${port}`,
    port: port!,
    async stop() {
      await elysia.stop(true)
    },
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

function refusal(guard: Guard, request: Request): Response | undefined {
  const refused = guard.refuse(request.headers)
  return refused && text(`${refused.reason}\n`, refused.status)
}

function upgrade(
  app: App,
  sockets: Sockets,
  guard: Guard,
  config: GatewayConfig,
  call: Call,
): Response | undefined {
  const { request } = call
  const server = call.server!
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    return new Response("a WebSocket upgrade is needed\n", { status: 426, headers: { upgrade: "websocket" } })
  }
  try {
    const address = addressOf(guard, server, request)
    const caller = callerOf(app, config, request, address)
    const admission = sockets.admit(request.headers, address, caller)
    if ("refused" in admission) {
      if (admission.refused === "unknown_protocol")
        return text("the subprotocols are weft.v1 and exoclaw\n", 400)
      return errorResponse(admission.refused)
    }
    const { handlers, protocol } = admission
    const headers = protocol === undefined ? {} : { "sec-websocket-protocol": protocol }
    if (server.upgrade(request, { headers, data: handlers as never })) return undefined
    sockets.abandon(caller !== undefined)
    return text("the upgrade failed\n", 400)
  } catch (thrown) {
    return errorResponse(reported(thrown, app))
  }
}

function answer(
  app: App,
  dispatcher: Dispatcher,
  guard: Guard,
  config: GatewayConfig,
  endpoint: Endpoint,
  { request, server }: Call,
): Promise<Response> {
  // A model may be silent for longer than any idle timer.
  server!.timeout(request, 0)
  const open = (): HttpContext => {
    const address = addressOf(guard, server!, request)
    const caller = callerOf(app, config, request, address)
    return { app, dispatcher, request, address, caller }
  }
  return serve(endpoint, open, app)
}

const addressOf = (guard: Guard, server: BunServer, request: Request) =>
  guard.clientAddress(server.requestIP(request)?.address ?? "", request.headers)

/** Who the Authorization header makes the client; undefined without one. Throws for a wrong one. */
function callerOf(app: App, { auth }: GatewayConfig, request: Request, address: string): Caller | undefined {
  if (auth === "none") return anybody
  const header = request.headers.get("authorization")
  if (header === null) return undefined
  const token = /^bearer +(\S+)$/i.exec(header)?.[1] ?? ""
  return app.auth.authenticate(token, address)
}
