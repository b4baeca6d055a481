/** An adapter in service: through a real runner, within its grants, and for no longer than it is in service. */
import { expect, test } from "bun:test"
import { openHouse } from "../house.ts"
import { fetching, type Made, make } from "../made.ts"

const signal = new AbortController().signal
const adapter = (more: Made = {}) =>
  make({
    description: { name: "mock", type: "channel_adapter", channel: "mock" },
    incoming: { content: "hello", peer: "anna" },
    answer: { url: "https://api.example.com/send", body: { text: "hi" } },
    ...more,
  })

test("an adapter is known by its channel and makes messages of requests and requests of answers", async () => {
  await using house = await openHouse()
  house.write("mock", adapter())
  await using started = await house.start([house.config("mock")])
  expect(started.info("mock")).toMatchObject({ state: "ready", kind: "channel", channel: "mock", tools: [] })
  const mock = started.plugins.adapter("mock")!
  expect(mock).toMatchObject({ plugin: "mock", channel: "mock" })
  expect(await mock.parseIncoming(Buffer.from("{}"), signal)).toEqual({
    type: "message",
    parts: [{ type: "text", text: "hello" }],
    account: "webhook",
    peer: "anna",
  })
  expect(await mock.formatOutgoing({ content: "hi" }, signal)).toMatchObject({
    type: "request",
    url: "https://api.example.com/send",
    body: '{"text":"hi"}',
  })
  expect(started.calls).toEqual(["mock ok", "mock ok"])
  await started.plugins.unload("mock")
  expect(started.plugins.adapter("mock")).toBeUndefined()
  await expect(mock.parseIncoming(Buffer.from("{}"), signal)).rejects.toThrow("out of service (unloaded)")
})

test("an adapter that returns what makes no sense fails, and is told of", async () => {
  await using house = await openHouse()
  house.write("mock", adapter({ incoming: { content: 1 } }))
  await using started = await house.start([house.config("mock")])
  const mock = started.plugins.adapter("mock")!
  await expect(mock.parseIncoming(Buffer.from("{}"), signal)).rejects.toMatchObject({ kind: "output" })
  expect((await started.event("plugin.failed")).data).toEqual({
    name: "mock",
    call: "parse_incoming",
    kind: "output",
  })
})

test("an adapter reaches the hosts of its grants, and no other over a redirect", async () => {
  await using house = await openHouse()
  const seen: string[] = []
  await using other = serve(() => {
    seen.push("other")
    return new Response("secret")
  })
  await using granted = serve(() => {
    seen.push("granted")
    return Response.redirect(`http://127.0.0.1:${other.port}/`, 302)
  })
  const ask = (name: string, port: number) =>
    house.write(name, adapter({ first: fetching, request: { url: `http://127.0.0.1:${port}/` } }))
  ask("redirected", granted.port!)
  ask("direct", other.port!)
  const capabilities = [`http:127.0.0.1:${granted.port}`]
  await using started = await house.start(
    ["redirected", "direct"].map((name) => house.config(name, { capabilities })),
  )
  for (const name of ["redirected", "direct"]) {
    await started.plugins.adapter(name)!.parseIncoming(Buffer.from("{}"), signal)
  }
  expect(seen).toEqual(["granted"])
})

test("a program is no adapter", async () => {
  await using house = await openHouse()
  house.write("mock", adapter(), 'name = "mock"\nkind = "channel"\nengine = "wasmer"\n')
  await using started = await house.start([house.config("mock")])
  expect(started.info("mock").state).toBe("refused")
})

function serve(answer: () => Response) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  return { port: server.port, [Symbol.asyncDispose]: () => server.stop(true) }
}
