/** What is changed while an agent thinks about a platform's message holds for its answer. */
import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { openSocket } from "../harness.ts"
import { ask } from "./client.ts"
import { deliver, startPlatform, told } from "./platform.ts"

/** A platform whose agent waits until `go`, and whose API keeps what it is sent. */
async function startWaiting() {
  await using stack = new AsyncDisposableStack()
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const got: string[] = []
  const api = stack.use(
    Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        got.push(await request.text())
        return new Response()
      },
    }),
  )
  const place = `127.0.0.1:${api.port}`
  const script = () => {
    begun.resolve()
    return ["Hello!", { until: go.promise }]
  }
  const platform = stack.use(await startPlatform({ script, capabilities: [`http:${place}`] }))
  const client = stack.use(await openSocket(platform.gateway.ws, { token: platform.gateway.token }))
  await client.call("event.subscribe", { topics: ["config.*"] })
  const kept = stack.move()
  return {
    ...platform,
    ...{ begun: begun.promise, go: go.resolve, got, place },
    event: { text: "hi", from: "ann", reply_url: `http://${place}/` },
    async change(from: string | RegExp, to: string) {
      const path = join(platform.home, "config.toml")
      writeFileSync(path, (await Bun.file(path).text()).replace(from, to))
      expect((await client.read()).params).toMatchObject({ topic: "config.reloaded" })
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

test("a host that was taken from the adapter is not sent to", async () => {
  await using waiting = await startWaiting()
  const { gateway, event, place } = waiting
  const answer = deliver(gateway, event)
  await waiting.begun
  await waiting.change(/^capabilities = .*$/m, "capabilities = []")
  waiting.go()
  const denied = `proxy denied: ${place} not in allowed_hosts for adapter 'mock-channel'`
  expect(await told(await answer)).toEqual([403, denied])
  expect(waiting.got).toEqual([])
})

test("an adapter that is out of service by then makes the platform ask again, which is then told", async () => {
  await using waiting = await startWaiting()
  const { gateway, event, model } = waiting
  const answer = deliver(gateway, event)
  await waiting.begun
  await ask(gateway, "plugin.unload", { name: "mock-channel" })
  waiting.go()
  expect((await answer).status).toBe(503)
  await ask(gateway, "plugin.load", { name: "mock-channel" })
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"status":"sent"}'])
  expect(waiting.got).toEqual(['{"chat":"ann","text":"Hello!"}'])
  expect(model.asked).toHaveLength(1)
})
