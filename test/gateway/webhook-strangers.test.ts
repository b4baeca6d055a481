/** What strangers can do to a channel without its secret: nothing, and nothing to those who have it. */
import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { openSocket } from "../harness.ts"
import { raw, statusOf } from "./client.ts"
import { deliver, secret, sign, startPlatform, told } from "./platform.ts"

const wrong = `sha256=${"0".repeat(64)}`
const head = (length: number, signature = wrong) =>
  `POST /webhook/mock HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Signature-256: ${signature}\r\nContent-Length: ${length}\r\n\r\n`

/** A connection that has sent its first part; `answer` is the beginning of what comes back. */
async function openRaw(port: number, first: string) {
  const answer = Promise.withResolvers<string>()
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(first),
      data: (_socket, data) => answer.resolve(data.toString()),
      close: () => answer.resolve(""),
    },
  })
  return { socket, answer: answer.promise, [Symbol.dispose]: () => void socket.terminate() }
}

test("bodies that never come keep nobody out: the one that has been coming for longest makes room", async () => {
  await using platform = await startPlatform({ limits: { body_ms: 60_000 } })
  const { gateway } = platform
  using stack = new DisposableStack()
  const open = async () => stack.use(await openRaw(gateway.port, `${head(100)}only the beginning`))
  const first = await open()
  const others = await Promise.all(Array.from({ length: 63 }, open))
  // One of them makes room for this one, and the next one for the next.
  for (const text of ["one", "two", "three"]) {
    expect((await deliver(gateway, { text, from: text })).status).toBe(200)
    await open()
  }
  const ended = await Promise.race([first, ...others].map(({ answer }) => answer))
  expect(statusOf(ended)).toBe(503)
  expect(ended.toLowerCase()).toContain("connection: close")
})

test("of many bodies at once, room is made by the address that has most of them", async () => {
  const config = '[gateway]\ntrusted_proxies = ["127.0.0.1"]\n'
  await using platform = await startPlatform({ config, limits: { body_ms: 60_000 } })
  const { port } = platform.gateway
  const from = (address: string, text: string) => text.replace("\r\n", `\r\nX-Forwarded-For: ${address}\r\n`)
  const body = JSON.stringify({ text: "hi", from: "ann" })
  using slow = await openRaw(port, from("192.0.2.9", head(body.length, sign(body))) + body.slice(0, 5))
  using stack = new DisposableStack()
  const others = await Promise.all(
    Array.from({ length: 80 }, async (_, n) =>
      stack.use(await openRaw(port, from(`2001:db8::${n + 1}`, `${head(100)}only the beginning`))),
    ),
  )
  const turned_away = others.slice(0, 80).map(async ({ answer }) => statusOf(await answer))
  expect(await Promise.race(turned_away)).toBe(503)
  slow.socket.write(body.slice(5))
  expect(statusOf(await slow.answer)).toBe(200)
})

test("a body that does not come in time counts as a wrong signature does", async () => {
  await using platform = await startPlatform({ limits: { body_ms: 20 } })
  const { gateway } = platform
  const begun = Array.from({ length: 64 }, () => raw(gateway.port, `${head(100)}only the beginning`))
  const statuses = (await Promise.all(begun)).map(statusOf)
  expect(statuses.filter((status) => status === 408)).toHaveLength(60)
  expect(statuses.filter((status) => status === 429)).toHaveLength(4)
})

test("who makes a platform send wrong signatures does not keep the platform out", async () => {
  await using platform = await startPlatform()
  const { gateway } = platform
  for (let round = 0; round < 2; round++) {
    const statuses = await Promise.all(
      Array.from(
        { length: 100 },
        async (_, n) =>
          (await deliver(gateway, { n, round }, { headers: { "x-signature-256": wrong } })).status,
      ),
    )
    expect(statuses.every((status) => status === 401 || status === 429)).toBe(true)
  }
  expect((await deliver(gateway, { text: "hi" }, { headers: {} })).status).toBe(429)
  expect((await deliver(gateway, { text: "hi" })).status).toBe(200)
})

test("a secret that was changed while the body came is worth nothing any more", async () => {
  await using platform = await startPlatform()
  const { gateway, home, model } = platform
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  await client.call("event.subscribe", { topics: ["config.*"] })
  const body = JSON.stringify({ text: "hi" })
  using connection = await openRaw(gateway.port, head(body.length, sign(body)) + body.slice(0, 5))
  const path = join(home, "config.toml")
  writeFileSync(path, (await Bun.file(path).text()).replace(secret, "quite another secret"))
  expect((await client.read()).params).toMatchObject({ topic: "config.reloaded" })
  connection.socket.write(body.slice(5))
  expect(statusOf(await connection.answer)).toBe(401)
  expect(model.asked).toEqual([])
})

test("no answer of a channel can be a page that runs here", async () => {
  await using platform = await startPlatform()
  const { gateway } = platform
  const answers = await Promise.all([
    deliver(gateway, { challenge: "<script>alert(1)</script>" }),
    deliver(gateway, { text: "<script>alert(1)</script>" }),
    deliver(gateway, {}, { headers: {} }),
    deliver(gateway, {}, { channel: "<script>" }),
  ])
  expect(await Promise.all(answers.map(async (answer) => (await told(answer))[0]))).toEqual([
    200, 200, 401, 404,
  ])
  for (const { headers } of answers) {
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; sandbox")
    expect(headers.get("x-content-type-options")).toBe("nosniff")
    expect(headers.get("content-type")).not.toContain("html")
  }
})
