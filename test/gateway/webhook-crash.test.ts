import { expect, test } from "bun:test"
import { startModel, temporaryFolder } from "../harness.ts"
import { startKillable } from "./killable.ts"
import { deliver, mockConfig, startPlatform, told } from "./platform.ts"

const never = () => [{ until: new Promise(() => undefined) }]

/** Sends a delivery to a gateway that is killed while its model thinks; answers what the platform heard of it. */
async function killInTheMiddle(home: string, mock: string, event: object) {
  const begun = Promise.withResolvers<void>()
  await using model = startModel(() => {
    begun.resolve()
    return never()
  })
  await using gateway = await startKillable({ home, model, mock })
  const heard = deliver(gateway, event).then(told, () => "nothing" as const)
  const refused = heard.then((answer) =>
    answer[0] === 200 ? begun.promise : Promise.reject(new Error(`${answer}`)),
  )
  await Promise.race([begun.promise, refused])
  await gateway.kill()
  return heard
}

test("what a killed gateway had taken in is run when its platform sends it again, and only then", async () => {
  await using folder = await temporaryFolder()
  const event = { text: "hi", from: "ann" }
  expect(await killInTheMiddle(folder.path, mockConfig(), event)).toBe("nothing")
  await using platform = await startPlatform({ home: folder.path })
  const { gateway, model } = platform
  expect(model.asked).toEqual([])
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"chat":"ann","text":"Hello!"}'])
  expect(await told(await deliver(gateway, event))).toEqual([200, '{"status":"duplicate"}'])
  expect(model.asked).toHaveLength(1)
}, 30_000)

test("what a killed gateway had acknowledged is answered by the next one", async () => {
  await using folder = await temporaryFolder()
  const arrived = Promise.withResolvers<string>()
  await using api = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      arrived.resolve(await request.text())
      return new Response()
    },
  })
  const place = `127.0.0.1:${api.port}`
  const options = { capabilities: [`http:${place}`], channel: 'acknowledge = "at_once"' }
  const event = { text: "hi", from: "ann", reply_url: `http://${place}/` }
  const heard = await killInTheMiddle(folder.path, mockConfig(options), event)
  expect(heard).toEqual([200, '{"status":"accepted"}'])
  await using platform = await startPlatform({ home: folder.path, ...options })
  expect(await arrived.promise).toBe('{"chat":"ann","text":"Hello!"}')
  expect(await told(await deliver(platform.gateway, event))).toEqual([200, '{"status":"duplicate"}'])
}, 30_000)

test.each([
  ["when_done", { status: "sent" }, 2],
  ["at_once", { status: "duplicate" }, 1],
])(
  "a gateway that is killed while it sends an answer (%s)",
  async (acknowledge, status, times) => {
    await using folder = await temporaryFolder()
    const arrived = Promise.withResolvers<void>()
    const got: string[] = []
    await using api = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        got.push(await request.text())
        arrived.resolve()
        // The first one never hears that it was taken.
        return got.length === 1 ? new Promise<Response>(() => undefined) : new Response()
      },
    })
    const place = `127.0.0.1:${api.port}`
    const options = { capabilities: [`http:${place}`], channel: `acknowledge = "${acknowledge}"` }
    const event = { text: "hi", from: "ann", reply_url: `http://${place}/` }
    {
      await using model = startModel(() => ["Hello!"])
      await using gateway = await startKillable({ home: folder.path, model, mock: mockConfig(options) })
      const heard = deliver(gateway, event).then(told, () => "nothing" as const)
      await arrived.promise
      await gateway.kill()
      await heard
    }
    await using platform = await startPlatform({ home: folder.path, ...options })
    expect(JSON.parse((await told(await deliver(platform.gateway, event)))[1])).toEqual(status)
    expect(got).toEqual(Array.from({ length: times }, () => '{"chat":"ann","text":"Hello!"}'))
    expect(platform.model.asked).toEqual([])
  },
  30_000,
)
