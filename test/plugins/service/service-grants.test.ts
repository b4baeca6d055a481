/** What plugins in service may: names that are theirs alone, hosts and secrets that are granted now, and failing. */
import { expect, test } from "bun:test"
import { callOf, openHouse } from "../house.ts"
import { describes, fetching, looping, make } from "../made.ts"

const manifest = (more = "") => `name = "echo"\nversion = "1.0.0"\nkind = "tool"\n${more}`

test("a tool whose name is taken is refused with both names, and offered once the other is gone", async () => {
  await using house = await openHouse()
  const named = (...names: string[]) => make({ description: names.map((name) => describes(name)) })
  house.write("a", named("b_say"))
  house.write("a.b", named("say"))
  house.write("read", named("file"))
  const [a, twin, built_in] = [house.config("a"), house.config("a.b"), house.config("read")]
  await using started = await house.start([a, twin, built_in])
  expect(started.plugins.list().map(({ state, reason }) => [state, reason])).toEqual([
    ["ready", undefined],
    ["refused", expect.stringContaining('its tool "a_b_say" has the same name as a tool of the plugin "a"')],
    [
      "refused",
      expect.stringContaining('its tool "read_file" has the same name as the built-in tool "read_file"'),
    ],
  ])
  expect(started.plugins.tools().map(({ alias }) => alias)).toEqual(["a.b_say"])
  await started.plugins.unload("a")
  expect(started.plugins.tools().map(({ alias }) => alias)).toEqual(["a.b.say"])
  const [say] = started.plugins.tools()
  await expect(started.plugins.load("a", "anna")).resolves.toMatchObject({ state: "ready" })
  await expect(say!.call({}, callOf())).rejects.toThrow('The plugin "a.b" is out of service (refused)')
})

test("a tool with the name of another plugin is refused, as a rule with that name would be about both", async () => {
  await using house = await openHouse()
  house.write("a", make({ description: describes("say") }))
  house.write("a_say", make({ description: describes("x") }))
  await using started = await house.start([house.config("a"), house.config("a_say")])
  expect(started.plugins.list().map(({ state, reason }) => [state, reason])).toEqual([
    ["refused", expect.stringContaining('its tool "a_say" has the same name as the plugin "a_say"')],
    ["ready", undefined],
  ])
})

test("so is one that is called in the configuration as another plugin is", async () => {
  await using house = await openHouse()
  house.write("a", make({ description: describes("say") }))
  house.write("a.say", make({ description: describes("x") }))
  await using started = await house.start([house.config("a"), house.config("a.say")])
  expect(started.plugins.list().map(({ state, reason }) => [state, reason])).toEqual([
    ["refused", expect.stringContaining('its tool "a.say" has the same name as the plugin "a.say"')],
    ["ready", undefined],
  ])
})

test.each([
  ["for every host", ""],
  ["for this host", "@#"],
])(
  "a secret that is granted %s is put into what is sent, and no other one, and nobody is told its value",
  async (_, at) => {
    await using house = await openHouse()
    const seen: string[] = []
    await using server = serve((request) => {
      seen.push(request.headers.get("authorization") ?? "")
      return new Response("ok")
    })
    const host = `127.0.0.1:${server.port}`
    const asking = (name: string) =>
      make({
        first: fetching,
        request: { url: `http://${host}/`, headers: { authorization: `Bearer {{secret:${name}}}` } },
      })
    house.write("echo", asking("KEY"))
    house.write("other", asking("OTHER"))
    const capabilities = [`http:${host}`, `secret:KEY${at.replace("#", host)}`]
    const configs = ["echo", "other"].map((name) => house.config(name, { capabilities }))
    await using started = await house.start(configs, {
      secrets: { KEY: "the-value-of-it", OTHER: "not-for-it" },
    })
    await started.call("echo")
    await started.call("other_echo")
    expect(seen).toEqual(["Bearer the-value-of-it"])
    expect(JSON.stringify([started.lines, started.events, started.plugins.list()])).not.toMatch(
      /the-value|not-for/,
    )
  },
)

test("grants that are taken away are gone for tools that somebody has already, and new ones are not there yet", async () => {
  await using house = await openHouse()
  let count = 0
  await using server = serve(() => new Response(`${++count}`))
  const host = `127.0.0.1:${server.port}`
  const module = make({ first: fetching, request: { url: `http://${host}/` } })
  house.write("echo", module)
  const [without, granted] = [house.config("echo"), house.config("echo", { capabilities: [`http:${host}`] })]
  await using started = await house.start([granted])
  const [before] = started.plugins.tools()
  await before!.call({}, callOf())
  expect(count).toBe(1)
  await started.plugins.configure({ plugins: [without], secrets: {} })
  await before!.call({}, callOf())
  const [bare] = started.plugins.tools()
  await started.plugins.configure({ plugins: [granted], secrets: {} })
  // Nobody was asked about a host when this one was chosen.
  await bare!.call({}, callOf())
  expect(count).toBe(1)
  await started.call("echo")
  expect(count).toBe(2)
})

test("a call that fails is counted and told of by its kind, and the next one goes well", async () => {
  await using house = await openHouse()
  house.write("echo", make({ first: "unreachable" }))
  house.write(
    "loop",
    make({ description: describes("loop"), first: looping }),
    manifest("[limits]\ntimeout_ms = 100"),
  )
  house.write("odd", make({ description: describes("odd"), answer: { text: "?" } }))
  house.write("good", make({ description: describes("good") }))
  await using started = await house.start(["echo", "loop", "odd", "good"].map((name) => house.config(name)))
  await expect(started.call("echo")).rejects.toThrow()
  await expect(started.call("loop")).rejects.toThrow()
  await expect(started.call("odd")).rejects.toThrow("it returned something else than {content, is_error}")
  expect(await started.call("good")).toBe("one")
  expect(started.calls).toEqual(["echo trap", "loop time", "odd output", "good ok"])
  const failed = started.events.filter(({ topic }) => topic === "plugin.failed")
  expect(failed.map(({ data, scope }) => [data.kind, scope])).toEqual(
    ["trap", "time", "output"].map((kind) => [kind, "admin"]),
  )
})

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  return { port: server.port, [Symbol.asyncDispose]: () => server.stop(true) }
}
