/** The ceiling for a socket that speaks JSON: a bare server that parses a request and stringifies its answer. */
const [port = "0"] = process.argv.slice(2)

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  development: false,
  reusePort: false,
  fetch: (request, server) =>
    server.upgrade(request, { data: undefined }) ? undefined : new Response("", { status: 426 }),
  websocket: {
    message(socket, raw) {
      const { id } = JSON.parse(raw.toString())
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: "pong" }))
    },
  },
})
