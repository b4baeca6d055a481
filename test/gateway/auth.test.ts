import { expect, test } from "bun:test"
import { AppError } from "../../src/base/errors.ts"
import { type Auth, openAuth, scopes, toPeer } from "../../src/gateway/auth.ts"
import { openStore } from "../../src/store/open.ts"
import { openSocket, startGateway, temporaryFolder } from "../harness.ts"
import { call, makeToken, post, request } from "./client.ts"

/** An auth of its own, with a clock that the test sets. */
async function start() {
  const store = openStore(":memory:")
  const clock = { now_ms: 1_000_000 }
  const open = () =>
    openAuth(
      store,
      () => clock.now_ms,
      () => undefined,
    )
  const auth = open()
  const { token } = await auth.create({ name: "good", scopes: ["admin"], agents: null, expires_ms: null })
  return { auth, open, clock, token, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** The codes of so many wrong tokens, one after the other. */
const guess = (auth: Auth, address: string, count: number) =>
  Array.from({ length: count }, (_, i) => codeOf(() => auth.authenticate(`wrong ${i}`, address)))

function codeOf(attempt: () => unknown): string {
  try {
    attempt()
    return "ok"
  } catch (thrown) {
    return (thrown as AppError).code
  }
}

const of = (codes: string[], code: string) => codes.filter((one) => one === code).length

test("ten wrong tokens a minute are looked at, and then not even a right one", async () => {
  await using one = await start()
  const codes = guess(one.auth, "203.0.113.1", 200)
  expect([of(codes, "unauthorized"), of(codes, "rate_limited")]).toEqual([10, 190])
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.1"))).toBe("rate_limited")
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.2"))).toBe("ok")
})

test("the wait is told, and over when it says", async () => {
  await using one = await start()
  guess(one.auth, "203.0.113.1", 9)
  one.clock.now_ms += 20_000
  guess(one.auth, "203.0.113.1", 1)
  const refused = (() => {
    try {
      return one.auth.authenticate(one.token, "203.0.113.1")
    } catch (thrown) {
      return thrown as AppError
    }
  })()
  expect((refused as AppError).data).toEqual({ retry_after_ms: 40_000 })
  one.clock.now_ms += 39_999
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.1"))).toBe("rate_limited")
  one.clock.now_ms += 1
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.1"))).toBe("ok")
})

test("a clock that is set back shuts nobody out for longer", async () => {
  await using one = await start()
  one.clock.now_ms += 86_400_000
  guess(one.auth, "203.0.113.1", 10)
  one.clock.now_ms -= 3_600_000
  expect(of(guess(one.auth, "203.0.113.1", 200), "unauthorized")).toBe(10)
  one.clock.now_ms += 60_000
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.1"))).toBe("ok")
})

test.each(["storage_failed", "store_damaged"] as const)(
  "tokens are looked at where the store cannot be written: %s",
  async (code) => {
    await using store = openStore(":memory:")
    let failed = 0
    const commit = () => {
      failed++
      return Promise.reject(new AppError(code))
    }
    const auth = openAuth({ ...store, commit }, Date.now, () => undefined)
    expect(guess(auth, "203.0.113.1", 1)).toEqual(["unauthorized"])
    await store.commit(() => undefined)
    expect(failed).toBe(1)
  },
)

test("a right token in between does not buy more wrong ones", async () => {
  await using one = await start()
  guess(one.auth, "203.0.113.1", 9)
  one.auth.authenticate(one.token, "203.0.113.1")
  expect(guess(one.auth, "203.0.113.1", 2)).toEqual(["unauthorized", "rate_limited"])
})

test("wrong codes count like wrong tokens", async () => {
  await using one = await start()
  const codes = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      one.auth.exchange(`code ${i}`, "203.0.113.1").catch(({ code }: AppError) => code),
    ),
  )
  expect([of(codes, "unauthorized"), of(codes, "rate_limited")]).toEqual([10, 2])
})

test.each([
  ["203.0.113.1", "::ffff:203.0.113.1", true],
  ["203.0.113.1", "::ffff:cb00:7101", true],
  ["203.0.113.1", "203.0.113.2", false],
  ["2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true],
  ["2001:db8:0:1::1", "2001:DB8::1:0:0:0:2", true],
  ["2001:db8:0:1::1", "2001:db8:0:2::1", false],
  ["fe80::1%eth0", "fe80::2", true],
])("%s and %s are the same peer: %p", async (left, right, same) => {
  expect(toPeer(left) === toPeer(right)).toBe(same)
  await using one = await start()
  guess(one.auth, left, 10)
  expect(codeOf(() => one.auth.authenticate(one.token, right))).toBe(same ? "rate_limited" : "ok")
})

test("a restart forgives nobody", async () => {
  await using one = await start()
  guess(one.auth, "203.0.113.1", 10)
  await one.auth.create({ name: "later", scopes: ["read"], agents: null, expires_ms: null })
  const again = one.open()
  expect(codeOf(() => again.authenticate(one.token, "203.0.113.1"))).toBe("rate_limited")
  expect(codeOf(() => again.authenticate(one.token, "203.0.113.2"))).toBe("ok")
})

test("addresses are remembered up to a bound, and the longest quiet one is forgotten first", async () => {
  await using one = await start()
  const others = (from: number) => {
    for (let i = from; i < from + 50_000; i++) {
      codeOf(() => one.auth.authenticate("wrong", `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`))
    }
  }
  guess(one.auth, "203.0.113.1", 10)
  guess(one.auth, "203.0.113.2", 5)
  others(0)
  guess(one.auth, "203.0.113.2", 5)
  others(50_000)
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.1"))).toBe("ok")
  expect(codeOf(() => one.auth.authenticate(one.token, "203.0.113.2"))).toBe("rate_limited")
})

test("a code is good for a minute", async () => {
  await using one = await start()
  const caller = one.auth.authenticate(one.token, "203.0.113.1")
  const [late, in_time] = [one.auth.createCode(caller), one.auth.createCode(caller)]
  one.clock.now_ms += 59_999
  expect(await one.auth.exchange(in_time.code, "203.0.113.1")).toMatch(/^weft_[\w-]{43}$/)
  one.clock.now_ms += 1
  await expect(one.auth.exchange(late.code, "203.0.113.1")).rejects.toMatchObject({ code: "unauthorized" })
})

test("an exchanged token ends after thirty days, or with its maker's", async () => {
  await using one = await start()
  const day_ms = 24 * 3_600_000
  const short = await one.auth.create({
    name: "short",
    scopes: ["admin"],
    agents: ["a"],
    expires_ms: one.clock.now_ms + day_ms,
  })
  const made = async (token: string) => {
    const { code } = one.auth.createCode(one.auth.authenticate(token, "203.0.113.1"))
    const { scopes, agents, expires_ms } = one.auth.authenticate(
      await one.auth.exchange(code, "203.0.113.1"),
      "203.0.113.1",
    )
    return { scopes, agents, days: (expires_ms! - one.clock.now_ms) / day_ms }
  }
  expect(await made(one.token)).toEqual({ scopes, agents: null, days: 30 })
  expect(await made(short.token)).toEqual({ scopes, agents: ["a"], days: 1 })
})

test("a token of a name that is taken in again replaces the one before it", async () => {
  await using one = await start()
  await one.auth.adopt("first token of the operator", "operator")
  await one.auth.adopt("second token of the operator", "operator")
  expect(codeOf(() => one.auth.authenticate("first token of the operator", "203.0.113.1"))).toBe(
    "unauthorized",
  )
  expect(codeOf(() => one.auth.authenticate("second token of the operator", "203.0.113.1"))).toBe("ok")
  expect(await one.auth.adopt("first token of the operator", "operator")).toBe(false)
})

test("tokens are kept as hashes only", async () => {
  await using folder = await temporaryFolder()
  await using gateway = await startGateway({ home: folder.path })
  const { token } = await makeToken(gateway)
  await gateway.stop("now")
  const bytes = Buffer.from(await Bun.file(`${folder.path}/weft.db`).arrayBuffer())
  expect(bytes.includes(token.slice(5))).toBe(false)
  expect(bytes.includes("SQLite format 3")).toBe(true)
})

const proxied = '[gateway]\ntrusted_proxies = ["127.0.0.1"]\n'
const from = (address: string) => ({ "x-forwarded-for": address })

test("two hundred wrong tokens at once: ten are looked at, other addresses go on, and a restart changes nothing", async () => {
  await using folder = await temporaryFolder()
  const wrong = Array.from({ length: 200 }, (_, i) => `wrong ${i}`)
  {
    await using gateway = await startGateway({ home: folder.path, config: proxied })
    const answers = await Promise.all(
      wrong.map((token) => post(gateway, request("ping"), token, from("203.0.113.1"))),
    )
    const statuses = answers.map(({ status }) => status)
    expect([401, 429].map((status) => statuses.filter((one) => one === status).length)).toEqual([10, 190])
    const refused = answers.find(({ status }) => status === 429)!
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 61)
    expect(await refused.json()).toMatchObject({
      id: null,
      error: { code: -32003, data: { code: "rate_limited" } },
    })
    expect((await post(gateway, request("ping"), gateway.token, from("203.0.113.2"))).status).toBe(200)
    expect((await post(gateway, request("ping"), gateway.token, from("203.0.113.1"))).status).toBe(429)
  }
  await using gateway = await startGateway({ home: folder.path, config: proxied })
  expect((await post(gateway, request("ping"), gateway.token, from("203.0.113.1"))).status).toBe(429)
  expect((await post(gateway, request("ping"), gateway.token, from("203.0.113.2"))).status).toBe(200)
})

test("wrong tokens over sockets count for the same address", async () => {
  await using gateway = await startGateway({ config: proxied })
  for (let i = 0; i < 11; i++) {
    await using socket = await openSocket(gateway.ws, { headers: from("203.0.113.1") })
    const { error } = await socket.call("connect", { token: `wrong ${i}` })
    expect(error!.data.code).toBe(i < 10 ? "unauthorized" : "rate_limited")
  }
  expect((await post(gateway, request("ping"), gateway.token, from("203.0.113.1"))).status).toBe(429)
  await using socket = await openSocket(gateway.ws, { token: gateway.token, headers: from("203.0.113.2") })
  expect(await socket.call("ping")).toMatchObject({ result: "pong" })
})

test("what a stranger says of its own address has no effect", async () => {
  await using gateway = await startGateway()
  for (let i = 0; i < 10; i++) await post(gateway, request("ping"), "wrong", from(`203.0.113.${i}`))
  expect((await post(gateway, request("ping"), gateway.token, from("203.0.113.99"))).status).toBe(429)
})

test.each([
  ["the last address that is no proxy counts", "198.51.100.1, 203.0.113.1, 127.0.0.1", "203.0.113.1"],
  ["what is left of it is the client's own invention", "spoofed, 203.0.113.1", "203.0.113.1"],
  ["without an address the proxy itself counts", "unknown", "127.0.0.1"],
])("behind a proxy: %s", async (_what, header, counted) => {
  await using gateway = await startGateway({ config: proxied })
  for (let i = 0; i < 10; i++) await post(gateway, request("ping"), "wrong", from(header))
  expect((await post(gateway, request("ping"), gateway.token, from(counted))).status).toBe(429)
  expect((await post(gateway, request("ping"), gateway.token, from("192.0.2.7"))).status).toBe(200)
})

test("a token made by a call is told once and works", async () => {
  await using gateway = await startGateway()
  const { token } = await makeToken(gateway, { scopes: ["read"] })
  expect(await call(gateway, "ping", {}, token)).toMatchObject({ result: "pong" })
  expect(JSON.stringify(await call(gateway, "token.list"))).not.toContain(token.slice(5))
})

test("a token's last use is known to the minute", async () => {
  await using one = await start()
  const used = () => one.auth.list()[0]!.last_used_ms
  expect(used()).toBeNull()
  one.auth.authenticate(one.token, "203.0.113.1")
  const first_ms = one.clock.now_ms
  one.clock.now_ms += 30_000
  one.auth.authenticate(one.token, "203.0.113.1")
  expect(used()).toBe(first_ms)
  one.clock.now_ms += 30_001
  one.auth.authenticate(one.token, "203.0.113.1")
  expect(used()).toBe(one.clock.now_ms)
})
