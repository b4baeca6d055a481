/** What is in service, and what becomes of it when files, the configuration and operators change their minds. */
import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { callOf, openHouse } from "../house.ts"
import { describes, fetching, looping, make } from "../made.ts"

const manifest = (more = "") => `name = "echo"\nversion = "1.0.0"\nkind = "tool"\n${more}`

test("what the configuration names is approved at first sight, and its tool can be called", async () => {
  await using house = await openHouse()
  house.write("echo", make(), manifest('capabilities = ["http:api.example.com"]'))
  await using started = await house.start([house.config("echo", { capabilities: ["store:notes"] })])
  const { sha256, manifest_sha256, approved_ms, path, ...info } = started.info("echo")
  expect(info).toEqual({
    name: "echo",
    state: "ready",
    version: "1.0.0",
    kind: "tool",
    engine: "reactor",
    asks: ["http:api.example.com"],
    granted: ["store:notes"],
    tools: ["echo"],
    approved_by: "the configuration",
  })
  expect([sha256?.length, manifest_sha256?.length]).toEqual([64, 64])
  expect(started.plugins.tools()[0]).toMatchObject({ sha256, manifest_sha256 })
  expect(approved_ms).toBeGreaterThan(0)
  expect(await started.call("echo")).toBe("one")
  expect(started.calls).toEqual(["echo ok"])
})

test("a restart runs nothing of what was approved, and no runner either, before it is called", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await (await house.start([house.config("echo")]))[Symbol.asyncDispose]()
  await using again = await house.start([house.config("echo")])
  expect(again.info("echo")).toMatchObject({ state: "ready", tools: ["echo"] })
  expect([again.plugins.missing(), again.plugins.runners()]).toEqual([undefined, []])
  expect(await again.call("echo")).toBe("one")
  // The walls of runners are known from the first one that starts.
  expect(again.plugins.missing()).toBeDefined()
})

const changes: [what: string, module: Uint8Array, manifest: string | undefined, reason: RegExp][] = [
  ["its code", make({ answer: { content: "two" } }), manifest(), /^its code is another one \(sha256 \w{12}…/],
  ["what it asks for", make(), manifest('capabilities = ["env:HOME"]'), /^it asks for env:HOME besides$/],
  ["a limit", make(), manifest("[limits]\ntimeout_ms = 9000"), /^its manifest is another one$/],
]

test.each(changes)(
  "%s is changed while it is down: it stays out until it is approved",
  async (_, module, text, reason) => {
    await using house = await openHouse()
    house.write("echo", make(), manifest())
    await (await house.start([house.config("echo")]))[Symbol.asyncDispose]()
    house.write("echo", module, text)
    await using again = await house.start([house.config("echo")])
    const { state, reason: told, tools, sha256 } = again.info("echo")
    expect([state, tools]).toEqual(["changed", []])
    expect(told).toMatch(reason)
    expect(again.lines.some((line) => line.plugin === "echo" && line.state === "changed")).toBe(true)
    expect(await again.plugins.load("echo", "anna", sha256)).toMatchObject({
      state: "ready",
      approved_by: "anna",
    })
    expect(again.plugins.tools().map(({ alias }) => alias)).toEqual(["echo.echo"])
    await again[Symbol.asyncDispose]()
    await using third = await house.start([house.config("echo")])
    expect(third.info("echo")).toMatchObject({ state: "ready", approved_by: "anna" })
  },
)

test("what it no longer asks for is said, and so is a manifest that comes or goes", async () => {
  await using house = await openHouse()
  house.write("echo", make(), manifest('capabilities = ["env:A", "env:B"]'))
  await using started = await house.start([house.config("echo")])
  house.write("echo", make(), manifest('capabilities = ["env:B"]'))
  await started.event("plugin.changed")
  expect(started.info("echo").reason).toBe("it no longer asks for env:A")
  house.remove("echo")
  house.write("echo", make())
  await started.event("plugin.changed")
  expect(started.info("echo").reason).toBe("it no longer asks for env:A, env:B")
  await started.plugins.load("echo", "anna")
  house.write("echo", make(), manifest())
  await started.event("plugin.changed")
  expect(started.info("echo").reason).toBe("it has a manifest, and had none")
  await started.plugins.unload("echo")
  await expect(started.plugins.load("echo", "anna", "0".repeat(64))).rejects.toMatchObject({
    code: "conflict",
  })
  expect(started.info("echo").state).toBe("unloaded")
})

test("a file that is swapped under a running service does not run, is told of, and is back with the old one", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await using started = await house.start([house.config("echo")])
  const [tool] = started.plugins.tools()
  expect(await started.call("echo")).toBe("one")
  house.write("echo", make({ answer: { content: "stolen" } }))
  await expect(tool!.call({}, callOf())).rejects.toThrow(
    'The plugin "echo" is out of service (changed); its operator has to look at it.',
  )
  expect(started.plugins.tools()).toEqual([])
  expect((await started.event("plugin.changed")).data).toMatchObject({ name: "echo", state: "changed" })
  house.write("echo", make())
  await started.event("plugin.loaded")
  expect(started.info("echo")).toMatchObject({ state: "ready", approved_by: "the configuration" })
  expect(await started.call("echo")).toBe("one")
})

test("a call that runs while the file is swapped ends on the old code", async () => {
  await using house = await openHouse()
  const [asked, answering] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using server = serve(async () => {
    asked.resolve()
    await answering.promise
    return new Response("done")
  })
  const host = `127.0.0.1:${server.port}`
  const fetches = (content: string) =>
    make({ first: fetching, request: { url: `http://${host}/` }, answer: { content } })
  house.write("echo", fetches("old"))
  await using started = await house.start([house.config("echo", { capabilities: [`http:${host}`] })])
  const running = started.call("echo")
  await asked.promise
  house.write("echo", fetches("new"))
  await started.event("plugin.changed")
  await expect(started.plugins.load("echo", "anna")).resolves.toMatchObject({ state: "ready" })
  answering.resolve()
  expect(await running).toBe("old")
  expect(await started.call("echo")).toBe("new")
})

test("a file that comes after the start, and one that goes, are noticed without a call", async () => {
  await using house = await openHouse()
  await using started = await house.start([house.config("echo")])
  expect(started.info("echo")).toMatchObject({ state: "missing", tools: [] })
  house.write("echo", make())
  await started.event("plugin.loaded")
  expect([started.info("echo").state, started.changes()]).toEqual(["ready", 1])
  house.remove("echo")
  const { data } = await started.event("plugin.changed")
  expect(data).toMatchObject({ name: "echo", state: "missing" })
  expect(started.plugins.tools()).toEqual([])
})

test("what is taken out stays out over restarts, until it is loaded", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await using started = await house.start([house.config("echo"), house.config("gone")])
  const [tool] = started.plugins.tools()
  const runnersOf = () => started.plugins.runners().filter(({ plugin }) => plugin === "echo")
  await tool!.call({}, callOf())
  expect(runnersOf()).toMatchObject([{ busy: false }])
  expect(await started.plugins.unload("echo")).toMatchObject({ state: "unloaded", tools: [] })
  expect(runnersOf()).toEqual([])
  expect(await started.plugins.unload("gone")).toMatchObject({ state: "missing" })
  expect((await started.event("plugin.unloaded")).data).toEqual({ name: "echo" })
  await expect(tool!.call({}, callOf())).rejects.toThrow("out of service (unloaded)")
  await started[Symbol.asyncDispose]()
  house.write("gone", make({ description: describes("gone") }))
  await using again = await house.start([house.config("echo"), house.config("gone")])
  expect(again.plugins.list().map(({ state }) => state)).toEqual(["unloaded", "unloaded"])
  await again.plugins.load("echo", "anna")
  await again.plugins.load("gone", "anna")
  expect(again.plugins.list().map(({ state, approved_by }) => [state, approved_by])).toEqual([
    ["ready", "the configuration"],
    ["ready", "anna"],
  ])
})

test("a pin of the configuration is the only code that is meant", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await using first = await house.start([house.config("echo")])
  const { sha256 } = first.info("echo")
  await first[Symbol.asyncDispose]()
  const pinned = house.config("echo", { sha256: sha256! })
  house.write("echo", make({ answer: { content: "two" } }))
  await using other = await house.start([pinned])
  expect(other.info("echo")).toMatchObject({ state: "changed", reason: expect.stringContaining(sha256!) })
  await expect(other.plugins.load("echo", "anna")).rejects.toMatchObject({ code: "conflict" })
  const found = other.info("echo").sha256!
  // Whoever may write the configuration may approve.
  await other.plugins.configure({ plugins: [{ ...pinned, sha256: found }], secrets: {} })
  expect(other.info("echo")).toMatchObject({ state: "ready", approved_by: "the configuration" })
  expect(await other.call("echo")).toBe("two")
})

const liars: [what: string, module: Uint8Array, manifest: string | undefined, reason: RegExp][] = [
  ["is no module", Buffer.from("nothing"), undefined, /./],
  ["is empty", new Uint8Array(), undefined, /./],
  ["is too large", new Uint8Array(4_194_305), undefined, /4194305 bytes/],
  ["loops", make({ describing: looping }), manifest("[limits]\ntimeout_ms = 100"), /did not say what it is/],
  ["traps", make({ describing: "unreachable" }), undefined, /did not say what it is/],
  ["says nothing that is JSON", make({ description: "I am a tool" }), undefined, /./],
  [
    "says that it is a channel",
    make({ description: { name: "e", type: "channel_adapter", channel: "c" } }),
    manifest(),
    /./,
  ],
  ["has a manifest that is none", make(), "name = echo", /echo\.toml:1/],
  ["has a name that no model takes", make({ description: describes("a b") }), undefined, /./],
]

test.each(liars)(
  "a plugin that %s is refused with a reason, and the others are not",
  async (_, module, text, reason) => {
    await using house = await openHouse()
    house.write("echo", module, text)
    house.write("good", make({ description: describes("good") }))
    await using started = await house.start([house.config("echo"), house.config("good")])
    const { state, reason: told } = started.info("echo")
    expect(state).toBe("refused")
    expect(told).toMatch(reason)
    expect(started.info("good").state).toBe("ready")
    await expect(started.plugins.load("echo", "anna")).rejects.toMatchObject({ code: "plugin_refused" })
  },
  20_000,
)

test("a folder, a pipe and a link to itself are no modules", async () => {
  await using house = await openHouse()
  mkdirSync(join(house.folder, "folder.wasm"))
  Bun.spawnSync(["mkfifo", join(house.folder, "pipe.wasm")])
  symlinkSync(join(house.folder, "ring.wasm"), join(house.folder, "ring.wasm"))
  await using started = await house.start(["folder", "pipe", "ring"].map((name) => house.config(name)))
  expect(started.plugins.list().map(({ state }) => state)).toEqual(["refused", "refused", "refused"])
})

test("what cannot be looked at is said once, not again and again, and is looked at when somebody loads it", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await using started = await house.start([])
  // Somebody else writes for longer than the database waits.
  await using other = lockDatabase(join(house.folder, "weft.db"))
  await started.plugins.configure({ plugins: [house.config("echo")], secrets: {} })
  expect(started.info("echo")).toMatchObject({
    state: "refused",
    reason: expect.stringContaining("gateway's log says why"),
  })
  await other[Symbol.asyncDispose]()
  expect(started.lines.filter(({ message }) => message === "a plugin could not be looked at").length).toBe(1)
  await expect(started.plugins.load("echo", "anna")).resolves.toMatchObject({
    state: "ready",
    approved_by: "anna",
  })
}, 20_000)

test("a plugin that the configuration no longer has is gone, and needs no second approval when it is back", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await using started = await house.start([house.config("echo")])
  const [tool] = started.plugins.tools()
  await started.plugins.configure({ plugins: [], secrets: {} })
  expect([started.plugins.list(), started.plugins.tools()]).toEqual([[], []])
  await expect(tool!.call({}, callOf())).rejects.toThrow('The plugin "echo" is not configured any more.')
  await expect(started.plugins.load("echo", "anna")).rejects.toMatchObject({ code: "not_found" })
  await started.plugins.configure({ plugins: [house.config("echo")], secrets: {} })
  expect(await started.call("echo")).toBe("one")
  house.write("echo", make({ answer: { content: "two" } }))
  await started.plugins.configure({ plugins: [], secrets: {} })
  await started.plugins.configure({ plugins: [house.config("echo")], secrets: {} })
  expect(started.info("echo").state).toBe("changed")
})

test("fifty plugins start without running anything", async () => {
  await using house = await openHouse()
  const names = Array.from({ length: 50 }, (_, index) => `p${index}`)
  for (const name of names) house.write(name, make({ description: describes(name) }))
  const configs = names.map((name) => house.config(name))
  await (await house.start(configs))[Symbol.asyncDispose]()
  await using again = await house.start(configs)
  expect(again.plugins.list().flatMap(({ reason }) => reason ?? [])).toEqual([])
  expect(again.plugins.runners()).toEqual([])
  expect(again.plugins.tools().length).toBe(50)
  expect(await again.call("p49")).toBe("one")
}, 30_000)

test("a process is started ahead where a plugin could be called, and for none otherwise", async () => {
  await using house = await openHouse()
  house.write("echo", make())
  await (await house.start([house.config("echo")]))[Symbol.asyncDispose]()
  await using started = await house.start([house.config("echo")])
  started.plugins.warm()
  expect(started.plugins.runners()).toMatchObject([{ plugin: undefined, busy: false }])
  const [ahead] = started.plugins.runners()
  await started.call("echo")
  expect(started.plugins.runners()).toContainEqual({ pid: ahead!.pid, plugin: "echo", busy: false })
  await using none = await house.start([])
  none.plugins.warm()
  expect(none.plugins.runners()).toEqual([])
})

test("without a plugin nothing is loaded and there is nothing to load", async () => {
  await using house = await openHouse()
  await using started = await house.start([])
  expect([started.plugins.list(), started.plugins.tools(), started.changes()]).toEqual([[], [], 0])
  await expect(started.plugins.load("echo", "anna")).rejects.toMatchObject({ code: "not_found" })
})

function lockDatabase(path: string): AsyncDisposable {
  const db = new Database(path)
  db.run("BEGIN IMMEDIATE")
  return { [Symbol.asyncDispose]: async () => db.close() }
}

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  return { port: server.port, [Symbol.asyncDispose]: () => server.stop(true) }
}
