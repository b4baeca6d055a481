import { expect, test } from "bun:test"
import { statSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { ToolDenied } from "../../../src/security/target.ts"
import { type ProxyOptions, startProxy } from "../../../src/security/web/proxy.ts"
import { temporaryFolder } from "../../harness.ts"
import { reply, startRemote, text } from "./remote.ts"

/** A proxy that permits all hosts; what is on this machine is opened by "host:port". */
async function startTestProxy(opened: string[] = [], options: Partial<ProxyOptions> = {}) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const path = join(folder.path, "proxy")
  stack.use(
    await startProxy({
      path,
      permit: () => undefined,
      isOpened: (host, port) => opened.includes(`${host}:${port}`),
      ...options,
    }),
  )
  const kept = stack.move()
  return { path, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Says something and resolves with all that comes until the other end is done. */
function say(path: string, ...parts: (string | Uint8Array)[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let heard = ""
  const socket = connect(path)
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1")
  })
  socket.on("error", () => socket.destroy())
  socket.on("close", () => resolve(heard))
  for (const part of parts) socket.write(part)
  return promise
}

/** A tunnel, once it stands. */
async function openTunnel(path: string, to: string): Promise<Socket> {
  const socket = connect(path)
  socket.on("error", () => socket.destroy())
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once("data", (bytes) =>
    `${bytes}`.startsWith("HTTP/1.1 200 ") ? resolve() : reject(new Error(`${bytes}`)),
  )
  socket.once("close", () => reject(new Error("closed")))
  socket.write(`CONNECT ${to} HTTP/1.1\r\nhost: ${to}\r\n\r\n`)
  await promise
  return socket
}

test("the socket is its owner's alone and goes with the proxy", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "proxy")
  const proxy = await startProxy({ path, permit: () => undefined, isOpened: () => false })
  expect(statSync(path).mode & 0o7777).toBe(0o600)
  await proxy[Symbol.asyncDispose]()
  expect(() => statSync(path)).toThrow()
})

test("a path where a proxy cannot listen fails", async () => {
  const start = startProxy({ path: "/no/such/folder/proxy", permit: () => undefined, isOpened: () => false })
  await expect(start).rejects.toThrow()
})

test("a tunnel carries bytes both ways, those with the request too", async () => {
  await using remote = await startRemote((socket, head, body) => socket.end(`${head.length} ${body} back`))
  await using proxy = await startTestProxy([remote.host])
  const request = `CONNECT ${remote.host} HTTP/1.1\r\nhost: x\r\n\r\n`
  const heard = await say(proxy.path, `${request}hello\r\ncontent-length: 3\r\n\r\n`, "abc")
  expect(heard).toBe("HTTP/1.1 200 Connection established\r\n\r\n24 abc back")
})

test("a tunnel carries much, in both directions, without holding it", async () => {
  const size = 30_000_000
  await using remote = await startRemote((socket) => {
    socket.end(Buffer.alloc(size, 98))
  })
  await using proxy = await startTestProxy([remote.host])
  const socket = await openTunnel(proxy.path, remote.host)
  let heard = 0
  socket.on("data", (bytes) => {
    heard += bytes.length
  })
  socket.write("x\r\n\r\n")
  await new Promise((done) => socket.on("close", done))
  expect(heard).toBe(size)
})

test("a whole http URL is forwarded with the host of the URL and without what is the connection's", async () => {
  await using remote = await startRemote((socket, _head, body) =>
    socket.end(text(`got ${body}`, { "set-cookie": "a=1", connection: "close, x-own", "x-own": "1" })),
  )
  await using proxy = await startTestProxy([remote.host])
  const heard = await say(
    proxy.path,
    `POST http://${remote.host}/a?b HTTP/1.1\r\nHost: inner.example\r\nContent-Length: 3\r\nProxy-Authorization: secret\r\n` +
      "Proxy-Connection: keep-alive\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n\r\nabc",
  )
  expect(heard).toStartWith("HTTP/1.1 200 OK\r\n")
  expect(heard).toContain("set-cookie: a=1\r\n")
  expect(heard).not.toContain("x-own")
  expect(heard).toEndWith("got abc")
  expect(remote.heads[0]!.toLowerCase().split("\r\n")).toEqual([
    "post /a?b http/1.1",
    "content-length: 3",
    "x-kept: 2",
    `host: ${remote.host}`,
    "connection: close",
  ])
})

test.each(["GET", "DELETE", "POST", "OPTIONS"])("the body of a %s stays a body", async (method) => {
  await using remote = await startRemote((socket) => socket.end(text("x")))
  await using proxy = await startTestProxy([remote.host])
  const head = `${method} http://${remote.host}/ HTTP/1.1\r\nhost: x\r\n`
  const inner = "GET /smuggled HTTP/1.1\r\n\r\n"
  await say(
    proxy.path,
    `${head}transfer-encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
  )
  await say(
    proxy.path,
    `${head}connection: content-length\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
  )
  const framings = remote.heads.map((sent) => /^(content-length|transfer-encoding): (.*)$/im.exec(sent)?.[0])
  expect(framings.map((sent) => sent?.toLowerCase())).toEqual([
    "transfer-encoding: chunked",
    `content-length: ${inner.length}`,
  ])
})

test("a server that wants another protocol is a 502 at once", async () => {
  await using remote = await startRemote((socket) =>
    socket.write(reply("101 Switching Protocols", { upgrade: "x", connection: "upgrade" })),
  )
  await using proxy = await startTestProxy([remote.host])
  const heard = await say(proxy.path, `GET http://${remote.host}/ HTTP/1.1\r\nhost: x\r\n\r\n`)
  expect(heard).toStartWith("HTTP/1.1 502 Bad Gateway\r\n")
  expect(heard).toContain("another protocol")
})

const inside = [
  ...["127.0.0.1:#", "127.1:#", "0x7f.1:#", "2130706433:#", "localhost:#", "LOCALHOST.:#", "[::1]:#", "0:#"],
  ...["[::ffff:127.0.0.1]:#", "[64:ff9b::7f00:1]:#", "a.localhost:#", "169.254.169.254:80", "10.0.0.1:80"],
  ...["metadata.google.internal:80", "168.63.129.16:80", "name.example:#", "[fe80::1]:80", "x.internal:443"],
]
const lookup = async () => [{ address: "127.0.0.1", family: 4 as const }]

test.each(inside)("%s is answered with 403, and nothing is connected to", async (host) => {
  await using canary = await startRemote()
  await using proxy = await startTestProxy([], { lookup })
  const to = host.replace("#", `${canary.port}`)
  const tunnel = await say(proxy.path, `CONNECT ${to} HTTP/1.1\r\nhost: ${to}\r\n\r\n`)
  const forward = await say(proxy.path, `GET http://${to}/ HTTP/1.1\r\nhost: example.com\r\n\r\n`)
  for (const heard of [tunnel, forward]) {
    expect(heard).toStartWith("HTTP/1.1 403 Forbidden\r\n")
    expect(heard).toContain("not on the public internet")
  }
  expect(canary.connections).toBe(0)
})

test.each([
  "CONNECT /etc/passwd HTTP/1.1",
  "CONNECT http://127.0.0.1:#/ HTTP/1.1",
  "CONNECT a@127.0.0.1:# HTTP/1.1",
  "CONNECT 127.0.0.1 HTTP/1.1",
  "CONNECT 127.0.0.1:#/x HTTP/1.1",
  "CONNECT 127.0.0.1:#\\@a:1 HTTP/1.1",
  "CONNECT 127.0.0.1:99999 HTTP/1.1",
  "CONNECT :# HTTP/1.1",
  "GET / HTTP/1.1",
  "GET https://127.0.0.1:#/ HTTP/1.1",
  "GET http://a@127.0.0.1:#/ HTTP/1.1",
  "GET file:///etc/passwd HTTP/1.1",
  "GET //127.0.0.1:#/ HTTP/1.1",
  "GET ftp://127.0.0.1:#/ HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "127.0.0.1:#",
])("%p is no request for a proxy", async (line) => {
  await using canary = await startRemote()
  await using proxy = await startTestProxy([canary.host])
  const heard = await say(
    proxy.path,
    `${line.replace("#", `${canary.port}`)}\r\nhost: ${canary.host}\r\n\r\n`,
  )
  expect(heard).toMatch(/^$|^HTTP\/1\.1 (4\d\d|502) /)
  expect(canary.connections).toBe(0)
})

test("the policy is asked for each host and its refusal is what the program hears", async () => {
  await using remote = await startRemote()
  const asked: string[] = []
  await using proxy = await startTestProxy([remote.host], {
    permit({ text }) {
      asked.push(text)
      if (text !== remote.host) throw new ToolDenied(`${text} is not among the granted hosts.`)
    },
  })
  expect(await say(proxy.path, `GET http://${remote.host}/ HTTP/1.1\r\nhost: x\r\n\r\n`)).toEndWith("canary")
  const refused = await say(proxy.path, "CONNECT other.example:443 HTTP/1.1\r\nhost: x\r\n\r\n")
  expect(refused).toEndWith("other.example:443 is not among the granted hosts.\n")
  expect(asked).toEqual([remote.host, "other.example:443"])
})

test("a redirect is passed on, so that what follows it is asked for again", async () => {
  await using canary = await startRemote()
  await using remote = await startRemote((socket) =>
    socket.end(reply("302 Found", { location: `http://${canary.host}/` })),
  )
  await using proxy = await startTestProxy([remote.host])
  const heard = await say(proxy.path, `GET http://${remote.host}/ HTTP/1.1\r\nhost: x\r\n\r\n`)
  expect(heard).toContain(`location: http://${canary.host}/`)
  expect(canary.connections).toBe(0)
})

test.each([
  ["CONNECT 127.0.0.1:1 HTTP/1.1", "Nothing answers at 127.0.0.1:1."],
  ["GET http://127.0.0.1:1/ HTTP/1.1", "Nothing answers at 127.0.0.1:1."],
  ["GET http://nowhere.example/ HTTP/1.1", "There is no host named nowhere.example"],
])("%p is answered with 502 and why", async (line, sentence) => {
  const lookup = () => Promise.reject(new Error("ENOTFOUND"))
  await using proxy = await startTestProxy(["127.0.0.1:1"], { lookup })
  const heard = await say(proxy.path, `${line}\r\nhost: x\r\n\r\n`)
  expect(heard).toStartWith("HTTP/1.1 502 Bad Gateway\r\n")
  expect(heard).toContain(sentence)
})

test.each(["SSH-2.0\r\n", ""])("a server that says %p is a 502", async (said) => {
  await using remote = await startRemote((socket) => socket.end(said))
  await using proxy = await startTestProxy([remote.host])
  const heard = await say(proxy.path, `GET http://${remote.host}/ HTTP/1.1\r\nhost: x\r\n\r\n`)
  expect(heard).toStartWith("HTTP/1.1 502 Bad Gateway\r\n")
  expect(heard).toEndWith("The host did not answer as it should.\n")
})

test("more connections than the limit are closed, and the rest works", async () => {
  await using remote = await startRemote(() => undefined)
  await using proxy = await startTestProxy([remote.host], { connections_max: 3 })
  const tunnels = await Promise.all([1, 2, 3].map(() => openTunnel(proxy.path, remote.host)))
  expect(await say(proxy.path, `CONNECT ${remote.host} HTTP/1.1\r\nhost: x\r\n\r\n`)).toBe("")
  const closed = new Promise((done) => tunnels[0]!.on("close", done))
  tunnels[0]!.end()
  tunnels[0]!.destroy()
  await closed
  while (remote.open.size > 2) await new Promise(setImmediate)
  tunnels.push(await openTunnel(proxy.path, remote.host))
  for (const tunnel of tunnels) tunnel.destroy()
})

test("what is silent or too much is ended, at both ends", async () => {
  await using remote = await startRemote((socket) => socket.write(Buffer.alloc(200_000)))
  await using proxy = await startTestProxy([remote.host], { idle_ms: 100, bytes_max: 100_000 })
  // Nothing said at all, half a head, a tunnel that is silent, and one that is not.
  expect(await say(proxy.path)).toBe("")
  expect(await say(proxy.path, "CONNECT 127.0.0.1")).toBe("")
  const established = await say(proxy.path, `CONNECT ${remote.host} HTTP/1.1\r\nhost: x\r\n\r\n`)
  expect(established).toBe("HTTP/1.1 200 Connection established\r\n\r\n")
  const flood = await say(proxy.path, `CONNECT ${remote.host} HTTP/1.1\r\nhost: x\r\n\r\n`, "x\r\n\r\n")
  expect(flood.length).toBeLessThan(101_000)
  while (remote.open.size > 0) await new Promise(setImmediate)
})

test("a tunnel that is used lives longer than silence may", async () => {
  await using remote = await startRemote((socket) => {
    socket.on("data", (bytes) => socket.write(bytes))
    socket.write("ready")
  })
  await using proxy = await startTestProxy([remote.host], { idle_ms: 100 })
  const socket = await openTunnel(proxy.path, remote.host)
  socket.write("x\r\n\r\n")
  await new Promise((done) => socket.once("data", done))
  const begun = performance.now()
  let echoes = 0
  while (performance.now() - begun < 300) {
    socket.write("ping")
    await new Promise((done) => socket.once("data", done))
    echoes += 1
  }
  expect([echoes > 10, socket.destroyed]).toEqual([true, false])
  socket.destroy()
})

test("a head beyond 16 KiB ends the connection", async () => {
  await using canary = await startRemote()
  await using proxy = await startTestProxy([canary.host])
  const head = `GET http://${canary.host}/ HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`
  expect(await say(proxy.path, head)).toBe("")
  expect(canary.connections).toBe(0)
})

test("a client that goes takes its connection to the host along, and the proxy's end takes all", async () => {
  await using remote = await startRemote(() => undefined)
  const folder = await temporaryFolder()
  const path = join(folder.path, "proxy")
  const proxy = await startProxy({ path, permit: () => undefined, isOpened: () => true })
  const first = await openTunnel(path, remote.host)
  await openTunnel(path, remote.host)
  first.destroy()
  while (remote.open.size > 1) await new Promise(setImmediate)
  await proxy[Symbol.asyncDispose]()
  while (remote.open.size > 0) await new Promise(setImmediate)
  await folder[Symbol.asyncDispose]()
})
