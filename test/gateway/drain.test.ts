import { expect, test } from "bun:test"
import { type Frame, openSocket, startGateway, startModel } from "../harness.ts"

test.each(["weft.v1", "exoclaw"])(
  "a turn that ends while the gateway drains is answered whole on %s",
  async (protocol) => {
    const release = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    await using model = startModel(async function* () {
      asked.resolve()
      yield "one "
      await release.promise
      yield "two"
    })
    await using gateway = await startGateway({ model })
    const headers = { authorization: `Bearer ${gateway.token}` }
    await using client = await openSocket(gateway.ws, { protocols: [protocol], headers })
    const params = { content: "hi", channel: "ws", account: "default" }
    client.send({ jsonrpc: "2.0", id: "1", method: "chat.send", params })
    await asked.promise
    const stopped = gateway.stop("drain")
    release.resolve()
    const frames: Frame[] = []
    const isLast = (frame: Frame & { event?: string }) => frame.result !== undefined || frame.event === "done"
    for (let frame = await client.read(); ; frame = await client.read()) {
      frames.push(frame)
      if (isLast(frame)) break
    }
    expect(await client.closed).toMatchObject({ code: 1001 })
    await stopped
    if (protocol === "weft.v1") expect(frames.at(-1)).toMatchObject({ id: "1", result: { text: "one two" } })
  },
)
