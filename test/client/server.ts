import type { ServerWebSocket } from "bun"

export type Request = { id: number; method: string; params: Record<string, unknown> }
type Turn = {
  turn_id: string
  events: Record<string, unknown>[]
  result?: Record<string, unknown>
  waiting: (() => void)[]
}
type Socket = ServerWebSocket<{ connected: boolean }>

/**
 * A gateway as PROTOCOL section 3 and 5 have it, as small as a test of the client needs it: one script of turns, which the test
 * moves on event by event, and which outlives its sockets.
 */
export function startServer({
  token = "secret",
  scopes = ["chat"],
}: {
  token?: string
  scopes?: string[]
} = {}) {
  const turns = new Map<string, Turn>()
  const by_key = new Map<string, Turn>()
  const seen: Request[] = []
  const sockets = new Set<Socket>()
  /** Answers of methods that are not about turns; a test adds its own. */
  const methods = new Map<string, (params: Record<string, unknown>, socket: Socket) => unknown>()
  const hooks: { onRequest?: (request: Request, socket: Socket) => "ignore" | undefined } = {}

  const server = Bun.serve<{ connected: boolean }>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) =>
      server.upgrade(request, { data: { connected: false } })
        ? undefined
        : new Response("no", { status: 426 }),
    websocket: {
      open: (socket) => void sockets.add(socket),
      close: (socket) => void sockets.delete(socket),
      async message(socket, raw) {
        const request = JSON.parse(String(raw)) as Request
        seen.push(request)
        if (hooks.onRequest?.(request, socket) === "ignore") return
        await answer(socket, request)
      },
    },
  })

  const reply = (socket: Socket, body: object) => socket.send(JSON.stringify({ jsonrpc: "2.0", ...body }))
  const fail = (socket: Socket, id: number | null, code: string) =>
    reply(socket, { id, error: { code: -32000, message: "No.", data: { code, detail: 1 } } })

  async function answer(socket: Socket, { id, method, params }: Request): Promise<void> {
    if (method === "connect") {
      if (params.token !== token) {
        fail(socket, id, "unauthorized")
        return socket.close(4001, "unauthorized")
      }
      socket.data.connected = true
      const limits = { payload_bytes_max: 1_048_576, batch_max: 64, in_flight_max: 64 }
      const server = { name: "weft", version: "0.0.0" }
      return void reply(socket, {
        id,
        result: { protocol: 1, server, connection_id: "1", scopes, limits, methods: [] },
      })
    }
    if (method === "chat.send") return follow(socket, id, startTurn(params), -1)
    if (method === "chat.attach") {
      return follow(socket, id, turns.get(String(params.turn_id))!, Number(params.after_seq))
    }
    const run = methods.get(method)
    if (run) return void reply(socket, { id, result: run(params, socket) })
    fail(socket, id, "method_not_found")
  }

  function startTurn({ idempotency_key, content }: Record<string, unknown>): Turn {
    const known = by_key.get(String(idempotency_key))
    if (known) return known
    const turn: Turn = { turn_id: `turn-${turns.size}`, events: [], waiting: [] }
    turns.set(turn.turn_id, turn)
    by_key.set(String(idempotency_key), turn)
    methods.get("started")?.({ turn_id: turn.turn_id, content }, undefined as never)
    return turn
  }

  async function follow(socket: Socket, request_id: number, turn: Turn, after_seq: number): Promise<void> {
    for (let seq = after_seq + 1; ; seq++) {
      while (seq >= turn.events.length && !turn.result) {
        await new Promise<void>((resolve) => turn.waiting.push(resolve))
      }
      const event = turn.events[seq]
      if (!event) break
      const params = { request_id, turn_id: turn.turn_id, seq, ...event }
      reply(socket, { method: "chat.event", params })
    }
    if (turn.result?.error) reply(socket, { id: request_id, error: turn.result.error })
    else reply(socket, { id: request_id, result: turn.result })
  }

  const wake = (turn: Turn) => {
    for (const resume of turn.waiting.splice(0)) resume()
  }

  return {
    url: `http://127.0.0.1:${server.port}`,
    seen,
    methods,
    hooks,
    sockets,
    turns,
    emit(turn_id: string, ...events: Record<string, unknown>[]): void {
      const turn = turns.get(turn_id)!
      turn.events.push(...events)
      wake(turn)
    },
    finish(turn_id: string, stop_reason = "end", error?: object): void {
      const turn = turns.get(turn_id)!
      turn.events.push({ type: "done", stop_reason })
      const text = turn.events.map(({ type, text }) => (type === "text" ? text : "")).join("")
      const usage = { input_tokens: 1, output_tokens: 1, cost_usd: null }
      turn.result = error
        ? { error }
        : { turn_id, session_key: "default:ws:default:main", message_id: "m", text, stop_reason, usage }
      wake(turn)
    },
    /** Tells everybody of an event, whatever they subscribed to. */
    publish(topic: string, data: Record<string, unknown>): void {
      for (const socket of sockets) reply(socket, { method: "event", params: { topic, seq: 0, data } })
    },
    /** Cuts every socket as a network does: without a close frame. */
    cut(): void {
      for (const socket of sockets) socket.terminate()
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

export type TestServer = ReturnType<typeof startServer>

export const started = {
  type: "started",
  session_key: "default:ws:default:main",
  agent: "default",
  matched_by: "default",
  provider: "offline",
  model: "offline",
}
export const text = (words: string) => ({ type: "text", text: words })
