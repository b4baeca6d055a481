/** What the gateway keeps to itself: its files, its token, its port. */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { join } from "node:path"
import { openSocket, temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { type Running, run, startWeft } from "./weft.ts"

const permissions = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** Every file and folder of a home that others than its owner can reach, with its permissions. */
const findOpen = (home: string): string[] =>
  [home, ...readdirSync(home, { recursive: true }).map((name) => join(home, String(name)))]
    .map((path) => `${permissions(path)} ${path}`)
    .filter((line) => !/^[67]00 /.test(line))

const rpc = (gateway: Running, method: string, params = {}, init?: RequestInit) =>
  gateway.fetch("/rpc", {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    ...init,
  })

test("all of the home is for its owner only, whatever the umask", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "home")
  const through = ["sh", "-c", 'umask 000; exec "$@"', "sh"]
  await using gateway = await startWeft({ home, through })
  await rpc(gateway, "chat.send", { content: "hello" })
  const uploaded = await gateway.fetch("/files", { method: "POST", body: "a text\n" })
  expect(uploaded.status).toBe(201)
  expect(findOpen(home)).toEqual([])
  expect(permissions(home)).toBe("700")
  expect(readdirSync(home)).toEqual(
    expect.arrayContaining(["files", "gateway.json", "token", "weft.db", "weft.db-wal"]),
  )
  gateway.kill("SIGTERM")
  await gateway.exited
  await run(["agent", "-m", "hello", "--home", home], { through })
  expect(findOpen(home)).toEqual([])
})

test("no token is ever in what the gateway says or in how it was called", async () => {
  await using folder = await temporaryFolder()
  const given = `weft_${"given".repeat(10)}`
  const wrong = `weft_${"wrong".repeat(10)}`
  await using gateway = await startWeft({ home: folder.path, env: { WEFT_TOKEN: given, WEFT_LOG: "debug" } })
  await using client = await gateway.client()
  await using second = await openSocket(gateway.ws, { token: given })
  expect((await second.call("ping")).result).toBe("pong")
  const made = (await client.call("token.create", { name: "more", scope: "chat" })).result as {
    token: string
  }
  await using third = await openSocket(gateway.ws, { token: made.token })
  expect((await third.call("ping")).result).toBe("pong")
  await using stranger = await openSocket(gateway.ws)
  expect((await stranger.call("connect", { token: wrong })).error?.data.code).toBe("unauthorized")
  expect((await rpc(gateway, "ping", {}, { headers: { authorization: `Bearer ${wrong}` } })).status).toBe(401)
  const shown = await (await rpc(gateway, "config.get")).text()
  const { pid } = gateway
  const called = process.platform === "linux" ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : ""
  gateway.kill("SIGTERM")
  await gateway.exited
  for (const token of [gateway.token, given, made.token, wrong]) {
    for (const text of [gateway.said(), shown, called]) expect(text).not.toContain(token.slice(5))
  }
  // The store knows hashes only.
  const stored = readFileSync(join(folder.path, "weft.db"), "latin1")
  for (const token of [gateway.token, given, made.token]) expect(stored).not.toContain(token.slice(5))
})

needs({ platform: "linux" })(
  "without configuration it listens on loopback only, and wants a token there",
  async () => {
    await using folder = await temporaryFolder()
    await using gateway = await startWeft({ home: folder.path })
    expect(listening(gateway.pid)).toEqual([`127.0.0.1:${new URL(gateway.url).port}`])
    const bare = (path: string, init?: RequestInit) => fetch(`${gateway.url}${path}`, init)
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "status" })
    const statuses = await Promise.all([
      bare("/rpc", { method: "POST", body }),
      bare("/files", { method: "POST", body: "x" }),
      bare("/v1/models"),
      bare("/v1/chat/completions", { method: "POST", body: "{}" }),
      bare("/ready"),
      bare("/metrics"),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401])
    await using stranger = await openSocket(gateway.ws)
    expect((await stranger.call("ping")).error?.data.code).toBe("unauthorized")
    expect((await stranger.closed).code).toBe(4001)
  },
)

/** The addresses on which a process listens, by the kernel's word. */
function listening(pid: number): string[] {
  const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
  return ["tcp", "tcp6", "udp", "udp6"].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, , , state, , , , , , inode]) =>
          /^0[A7]$/.test(state ?? "") && sockets.includes(`socket:[${inode}]`),
      )
      .map(([, local]) => toAddress(local!)),
  )
}

/** A descriptor may be closed between the list and the look. */
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)]
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return []
    throw thrown
  }
}

/** "0100007F:1C20" is 127.0.0.1:7200; longer ones stay as they are. */
function toAddress(local: string): string {
  const [address = "", port = ""] = local.split(":")
  if (address.length !== 8) return local
  const bytes = address.match(/../g)!.reverse()
  return `${bytes.map((byte) => Number.parseInt(byte, 16)).join(".")}:${Number.parseInt(port, 16)}`
}
