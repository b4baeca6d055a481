import { afterAll, expect, test } from "bun:test"
import { mkdtempSync } from "node:fs"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { parser } from "../../src/base/schema.ts"
import { gatewaySection } from "../../src/gateway/config.ts"
import { openGuard } from "../../src/gateway/guard.ts"
import { openSocket, startGateway } from "../harness.ts"
import { needs } from "../needs.ts"
import { raw, statusOf } from "./client.ts"

const config = '[gateway]\nhosts = ["Gateway.Example.com"]\norigins = ["https://panel.example.com"]\n'
const gateway = await startGateway({ config })
afterAll(() => gateway[Symbol.asyncDispose]())
const { port } = gateway

const get = (lines: string[], path = "/health") =>
  raw(port, `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)
const upgrade = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]

const hosts: [host: string, status: number][] = [
  [`127.0.0.1:${port}`, 200],
  ["127.0.0.1", 200],
  [`localhost:${port}`, 200],
  ["LOCALHOST", 200],
  ["localhost.", 200],
  [`[::1]:${port}`, 200],
  ["gateway.example.com", 200],
  ["GATEWAY.example.com:443", 200],
  ["evil.example", 403],
  [`evil.example:${port}`, 403],
  ["localhost.evil.example", 403],
  ["127.0.0.1.evil.example", 403],
  ["evil.example#127.0.0.1", 403],
  ["127.0.0.1@evil.example", 403],
  ["127.0.0.2", 403],
  ["0.0.0.0", 403],
  ["127.1", 403],
  ["2130706433", 403],
  ["[::ffff:127.0.0.1]", 403],
  ["127.0.0.1:", 403],
  ["127.0.0.1:x", 403],
  ["", 403],
]

test.each(hosts)("Host %p is answered %d, for a page and for a socket", async (host, status) => {
  expect(statusOf(await get([`Host: ${host}`]))).toBe(status)
  expect(statusOf(await get([`Host: ${host}`, ...upgrade], "/ws"))).toBe(status === 200 ? 101 : status)
})

test.each([
  ["two hosts", ["Host: 127.0.0.1", "Host: evil.example"]],
  ["two hosts, the other way round", ["Host: evil.example", "Host: 127.0.0.1"]],
  ["the same host twice", ["Host: 127.0.0.1", "Host: 127.0.0.1"]],
  ["hosts with a comma", ["Host: 127.0.0.1, evil.example"]],
  ["no host", ["Accept: */*"]],
])("%s is a bad request", async (_what, lines) => {
  expect(statusOf(await get(lines))).toBe(400)
  expect(statusOf(await get([...lines, ...upgrade], "/ws"))).toBe(400)
})

const host = `Host: 127.0.0.1:${port}`
const origins: [origin: string, status: number][] = [
  [`http://127.0.0.1:${port}`, 200],
  ["https://panel.example.com", 200],
  ["HTTPS://Panel.example.com", 200],
  ["http://panel.example.com", 403],
  ["https://panel.example.com.evil.example", 403],
  ["https://panel.example.com:8443", 403],
  ["http://evil.example", 403],
  [`http://localhost:${port}`, 403],
  ["http://127.0.0.1", 403],
  ["http://127.0.0.1:1", 403],
  ["null", 403],
  ["file://", 403],
  ["", 403],
]

test.each(origins)("Origin %p is answered %d, for a page and for a socket", async (origin, status) => {
  expect(statusOf(await get([host, `Origin: ${origin}`]))).toBe(status)
  const socket = await get([host, `Origin: ${origin}`, ...upgrade], "/ws")
  expect(statusOf(socket)).toBe(status === 200 ? 101 : status)
})

test("two origins are none of ours", async () => {
  const own = `Origin: http://127.0.0.1:${port}`
  expect(statusOf(await get([host, own, "Origin: http://evil.example"]))).toBe(403)
})

test("a refused host or origin is told nothing of what is here, on any path and by any method", async () => {
  for (const path of ["/", "/rpc", "/openrpc.json", "/client.js", "/nothing"]) {
    for (const method of ["GET", "POST", "OPTIONS", "DELETE"]) {
      const answer = await raw(
        port,
        `${method} ${path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n`,
      )
      expect([statusOf(answer), /access-control/i.test(answer)]).toEqual([403, false])
    }
  }
})

const lines: [line: string, status: number][] = [
  ["TRACE /health HTTP/1.1", 405],
  ["DELETE /health HTTP/1.1", 405],
  ["POST /ws HTTP/1.1", 405],
  ["GET /rpc HTTP/1.1", 405],
  ["HEAD /health HTTP/1.1", 200],
  ["CONNECT evil.example:443 HTTP/1.1", 404],
  ["CONNECT [ HTTP/1.1", 404],
  ["CONNECT http:// HTTP/1.1", 405],
  ["OPTIONS * HTTP/1.1", 400],
  ["GET //evil.example/health HTTP/1.1", 404],
  ["GET //health HTTP/1.1", 404],
  ["GET /health/ HTTP/1.1", 404],
  ["GET /Health HTTP/1.1", 404],
  ["GET /%68ealth HTTP/1.1", 404],
  ["GET /health%00 HTTP/1.1", 404],
  ["GET /health;x HTTP/1.1", 404],
  ["GET /%72eady HTTP/1.1", 404],
  ["GET /./health HTTP/1.1", 200],
  ["GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", 404],
  ["GET /../../etc/passwd HTTP/1.1", 404],
  ["GET /%zz HTTP/1.1", 404],
  ["GET /%ff%fe HTTP/1.1", 404],
  ["GET /health?x=%zz HTTP/1.1", 200],
  ["GET /health HTTP/0.9", 505],
  ["GET /health", 505],
  ["\x16\x03\x01\x02 HTTP/1.1", 400],
]

test.each(lines)("%p is answered %d", async (line, status) => {
  const answer = await raw(port, `${line}\r\n${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  expect(statusOf(answer)).toBe(status)
  expect(answer).not.toContain("node_modules")
})

test("TRACE does not say the request again", async () => {
  const answer = await raw(port, `TRACE / HTTP/1.1\r\n${host}\r\nAuthorization: Bearer canary\r\n\r\n`)
  expect(answer).not.toContain("canary")
})

test("a foreign host in the request line opens nothing that the Host header does not", async () => {
  expect(statusOf(await get(["Host: evil.example"], `http://127.0.0.1:${port}/health`))).toBe(403)
  expect(statusOf(await get([host], "http://evil.example/ready"))).toBe(401)
})

test("both lengths at once are a bad request", async () => {
  const both = "Content-Length: 5\r\nTransfer-Encoding: chunked"
  expect(statusOf(await raw(port, `POST /rpc HTTP/1.1\r\n${host}\r\n${both}\r\n\r\n0\r\n\r\n`))).toBe(400)
})

test("a socket needs an upgrade", async () => {
  expect(statusOf(await get([host], "/ws"))).toBe(426)
  expect(statusOf(await get([host, "Upgrade: h2c", "Connection: Upgrade"], "/ws"))).toBe(426)
  expect(statusOf(await get([host, "Upgrade: websocket", "Connection: Upgrade"], "/ws"))).toBe(400)
})

test("hosts and origins are those of the configuration as it is now", async () => {
  await using live = await startGateway({ config: '[gateway]\nhosts = ["old.example"]\n' })
  await using socket = await openSocket(live.ws, { token: live.token })
  await socket.call("event.subscribe", { topics: ["config.*"] })
  const status = async (lines: string) =>
    statusOf(await raw(live.port, `GET /health HTTP/1.1\r\nHost: ${lines}\r\n\r\n`))
  expect([await status("old.example"), await status("new.example")]).toEqual([200, 403])
  const changed = '[gateway]\nhosts = ["new.example"]\norigins = ["https://panel.example"]\n'
  await Bun.write(`${live.home}/config.toml`, changed)
  expect(await socket.read()).toMatchObject({ params: { topic: "config.reloaded" } })
  expect([await status("old.example"), await status("new.example")]).toEqual([403, 200])
  expect(await status("new.example\r\nOrigin: https://panel.example")).toBe(200)
  await Bun.write(`${live.home}/config.toml`, `${changed}trusted_proxies = ["everybody"]\n`)
  expect(await socket.read()).toMatchObject({ params: { topic: "config.rejected" } })
  expect(await status("new.example")).toBe(200)
})

test("an upgrade that fails takes nobody's place", async () => {
  await using small = await startGateway({ config: "[gateway]\nunauthenticated_max = 1\n" })
  const half = `GET /ws HTTP/1.1\r\n${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`
  for (let i = 0; i < 3; i++) expect(statusOf(await raw(small.port, half))).toBe(400)
  await using _socket = await openSocket(small.ws)
})

test("unless told otherwise a gateway listens on loopback only", async () => {
  await using plain = await startGateway()
  expect(plain.url).toStartWith("http://127.0.0.1:")
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")
  const addresses = ["127.0.0.2", ...(outside ? [outside.address] : [])]
  for (const address of addresses)
    await expect(fetch(`http://${address}:${plain.port}/health`)).rejects.toThrow()
})

test("a gateway on all addresses takes those of this machine as Host, and no other names", async () => {
  await using open = await startGateway({ config: '[gateway]\nbind = "0.0.0.0"\n' })
  const status = async (name: string) =>
    statusOf(await raw(open.port, `GET /health HTTP/1.1\r\nHost: ${name}\r\n\r\n`))
  expect(await status("127.0.0.1")).toBe(200)
  expect(await status("0.0.0.0")).toBe(403)
  expect(await status("evil.example")).toBe(403)
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    if (family === "IPv4") expect(await status(address)).toBe(200)
  }
})

needs({ command: "openssl" })("TLS is served with the configured certificate", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weft-test-"))
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")]
  const made = Bun.spawnSync([
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    key,
    "-out",
    cert,
    "-days",
    "1",
    "-subj",
    "/CN=localhost",
  ])
  expect(made.exitCode).toBe(0)
  await using secure = await startGateway({ config: `[gateway.tls]\ncert = "${cert}"\nkey = "${key}"\n` })
  expect(secure.url).toStartWith("https://127.0.0.1:")
  const response = await fetch(`${secure.url}/health`, { tls: { rejectUnauthorized: false } })
  expect(await response.text()).toBe("ok")
  const socket = new WebSocket(secure.ws, { tls: { rejectUnauthorized: false } } as never)
  const opened = Promise.withResolvers<string>()
  socket.onopen = () =>
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "connect", params: { token: secure.token } }))
  socket.onmessage = ({ data }) => opened.resolve(String(data))
  expect(JSON.parse(await opened.promise)).toMatchObject({ id: 1, result: { protocol: 1 } })
  socket.close()
  expect(statusOf(await raw(secure.port, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))).not.toBe(200)
})

test("a browser's page of this gateway may open a socket", async () => {
  await using socket = await openSocket(gateway.ws, {
    token: gateway.token,
    headers: { origin: gateway.url },
  })
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
  const foreign = openSocket(gateway.ws, { headers: { origin: "http://evil.example" } })
  await expect(foreign).rejects.toThrow()
})

const settings = parser(gatewaySection.schema)({})

test.each([
  ["nobody is trusted", [], "10.0.0.1", "203.0.113.1", "10.0.0.1"],
  ["an address", ["10.0.0.1"], "10.0.0.1", "203.0.113.1", "203.0.113.1"],
  ["another one", ["10.0.0.2"], "10.0.0.1", "203.0.113.1", "10.0.0.1"],
  ["a range", ["10.0.0.0/8"], "10.9.8.7", "203.0.113.1", "203.0.113.1"],
  ["a range, from a dual-stack socket", ["10.0.0.0/8"], "::ffff:10.9.8.7", "203.0.113.1", "203.0.113.1"],
  ["a range of the other family", ["::/0"], "10.9.8.7", "203.0.113.1", "10.9.8.7"],
  ["a range of IPv6", ["2001:db8::/32"], "2001:db8::1", "2001:db9::1", "2001:db9::1"],
  [
    "two proxies behind each other",
    ["10.0.0.0/8"],
    "10.0.0.1",
    "1.2.3.4, 203.0.113.1, 10.0.0.2",
    "203.0.113.1",
  ],
  ["only proxies", ["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.1"],
  ["no header", ["10.0.0.0/8"], "10.0.0.1", undefined, "10.0.0.1"],
  ["an address with a port", ["10.0.0.0/8"], "10.0.0.1", "203.0.113.1:4711", "10.0.0.1"],
  ["nonsense before it", ["10.0.0.0/8"], "10.0.0.1", "203.0.113.1, <script>", "10.0.0.1"],
])("the client behind a proxy: %s", (_what, trusted_proxies, socket, header, client) => {
  const guard = openGuard({ ...settings, trusted_proxies })
  const headers = new Headers(header === undefined ? {} : { "x-forwarded-for": header })
  expect(guard.clientAddress(socket, headers)).toBe(client)
})
