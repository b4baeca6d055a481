/** The smallest program with our foundations: Elysia, a WebSocket on the raw upgrade, SQLite in WAL mode. */
import { Database } from "bun:sqlite"
import { Elysia } from "elysia"

process.env.NODE_ENV = "production"
const [port = "0", path = ":memory:"] = process.argv.slice(2)
const db = new Database(path)
db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
db.run("CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT")

new Elysia()
  .get("/ws", ({ request, server }) =>
    server?.upgrade(request, { data: { message: pong } }) ? undefined : new Response("", { status: 426 }),
  )
  .listen({ hostname: "127.0.0.1", port: Number(port), reusePort: false, development: false })

function pong(socket: Bun.ServerWebSocket<unknown>, raw: string): void {
  const { id } = JSON.parse(raw)
  socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: "pong" }))
}
