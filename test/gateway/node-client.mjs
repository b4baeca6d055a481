/**
 * A client of the socket that shares nothing with us: the `ws` package under Node. Plays one scene against the gateway
 * and prints what it saw as JSON. Run as `node node-client.mjs <scene> <url> <token>`.
 */
import { WebSocket } from "ws"

const [scene, url, token] = process.argv.slice(2)

function open(protocols = [], options = {}) {
  const socket = new WebSocket(url, protocols, options)
  const frames = []
  const waiting = []
  const closed = new Promise((resolve) => {
    socket.on("close", (code, reason) => {
      resolve({ code, reason: String(reason) })
      for (const wake of waiting.splice(0)) wake()
    })
  })
  socket.on("message", (data, is_binary) => {
    frames.push(is_binary ? { binary: data.length } : JSON.parse(String(data)))
    for (const wake of waiting.splice(0)) wake()
  })
  const opened = new Promise((resolve, reject) => {
    socket.on("open", resolve)
    socket.on("error", reject)
  })
  const read = async () => {
    while (frames.length === 0) await new Promise((resolve) => waiting.push(resolve))
    return frames.shift()
  }
  const readTo = async (id) => {
    const seen = []
    do seen.push(await read())
    while (seen.at(-1).id !== id)
    return seen
  }
  const call = (id, method, params) => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
    return readTo(id)
  }
  return { socket, opened, closed, read, call }
}

const scenes = {
  async chat() {
    const { socket, opened, closed, call } = open()
    await opened
    const connected = (await call(1, "connect", { token })).at(-1)
    const subscribed = (await call(2, "event.subscribe", { topics: ["turn.*"] })).at(-1)
    const frames = await call("say", "chat.send", { content: "hello", peer: "node" })
    const history = (await call(4, "chat.history", { session_key: "default:ws:default:node" })).at(-1)
    socket.close(1000, "bye")
    return { connected, subscribed, frames, history, closed: await closed, protocol: socket.protocol }
  },
  async header() {
    const { opened, socket, call } = open(["weft.v1"], { headers: { authorization: `Bearer ${token}` } })
    await opened
    const pong = (await call(1, "ping")).at(-1)
    socket.close()
    return { pong, protocol: socket.protocol }
  },
  async large() {
    const { socket, opened, closed, call } = open()
    await opened
    await call(1, "connect", { token })
    socket.send(
      JSON.stringify({ jsonrpc: "2.0", id: 2, method: "ping", params: { padding: "x".repeat(3000) } }),
    )
    return closed
  },
  async stranger() {
    const { opened, call, closed } = open()
    await opened
    const refused = (await call(1, "ping")).at(-1)
    return { refused, closed: await closed }
  },
  async unknown_protocol() {
    const { opened } = open(["graphql-ws"])
    return opened.then(
      () => "opened",
      (error) => error.message,
    )
  },
  async exoclaw() {
    const { socket, opened, read } = open(["weft.v9", "exoclaw"])
    await opened
    socket.send(JSON.stringify({ token }))
    const frames = [await read()]
    socket.send(
      JSON.stringify({
        id: "1",
        method: "chat.send",
        params: { channel: "ws", account: "default", peer: "x", content: "hi" },
      }),
    )
    do frames.push(await read())
    while (frames.at(-1).event !== "done" && !frames.at(-1).error)
    socket.close()
    return { frames, protocol: socket.protocol }
  },
}

console.log(JSON.stringify(await scenes[scene]()))
process.exit(0)
