/** The socket as somebody else's client sees it: the `ws` package under Node. */
import { expect } from "bun:test"
import { join } from "node:path"
import { type Frame, type StartOptions, startGateway, startModel } from "../harness.ts"
import { needs } from "../needs.ts"

const testNode = needs({ command: "node" })

/** Plays a scene of node-client.mjs and answers what it saw. */
async function play<T>(scene: string, options: StartOptions = {}): Promise<T> {
  await using model = startModel(() => ["Hel", "lo."])
  await using gateway = await startGateway({ model, ...options })
  const child = Bun.spawn(
    ["node", join(import.meta.dir, "node-client.mjs"), scene, gateway.ws, gateway.token],
    {
      stdout: "pipe",
      stderr: "inherit",
    },
  )
  const said = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return JSON.parse(said) as T
}

testNode("ws under Node connects, chats, hears events and leaves", async () => {
  type Chat = {
    connected: Frame
    subscribed: Frame
    frames: Frame[]
    history: Frame
    closed: object
    protocol: string
  }
  const { connected, subscribed, frames, history, closed, protocol } = await play<Chat>("chat")
  expect(connected).toMatchObject({
    jsonrpc: "2.0",
    id: 1,
    result: { protocol: 1, scopes: expect.any(Array) },
  })
  expect(subscribed).not.toHaveProperty("error")
  expect(protocol).toBe("")

  const told = frames.filter(({ method }) => method === "event").map(({ params }) => params)
  expect(told).toMatchObject([
    { topic: "turn.started", seq: 0 },
    { topic: "turn.done", seq: 1, data: { stop_reason: "end", session_key: "default:ws:default:node" } },
  ])
  const events = frames.filter(({ method }) => method === "chat.event").map(({ params }) => params!)
  let seq = -1
  for (const event of events) {
    expect(event).toMatchObject({ request_id: "say", turn_id: events[0]!.turn_id })
    expect(event.seq_first ?? event.seq).toBe(seq + 1)
    seq = event.seq as number
  }
  expect(events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])).toEqual([
    ...["started", "text", "usage", "done"],
  ])
  expect(events.map(({ text }) => text ?? "").join("")).toBe("Hello.")
  expect(frames.at(-1)).toMatchObject({ id: "say", result: { text: "Hello.", stop_reason: "end" } })
  expect(history).toMatchObject({ result: { messages: [{ role: "user" }, { role: "assistant" }] } })
  expect(closed).toEqual({ code: 1000, reason: "bye" })
})

testNode("ws under Node is connected by its header, and gets the subprotocol that it asked for", async () => {
  expect(await play<object>("header")).toEqual({
    pong: { jsonrpc: "2.0", id: 1, result: "pong" },
    protocol: "weft.v1",
  })
})

testNode("ws under Node is closed with 1009 for a frame that is too large", async () => {
  const options = { config: "[gateway]\npayload_bytes_max = 2048\n" }
  expect(await play<object>("large", options)).toMatchObject({ code: 1009 })
})

testNode("ws under Node without a token is told so and closed with 4001", async () => {
  expect(await play<object>("stranger")).toMatchObject({
    refused: { id: 1, error: { code: -32001, data: { code: "unauthorized" } } },
    closed: { code: 4001 },
  })
})

testNode("ws under Node is refused before a socket exists for a subprotocol that there is not", async () => {
  expect(await play<string>("unknown_protocol")).toBe("Unexpected server response: 400")
})

testNode("ws under Node speaks the exoclaw dialect where it asks for it", async () => {
  const { frames, protocol } = await play<{ frames: object[]; protocol: string }>("exoclaw")
  expect(protocol).toBe("exoclaw")
  expect(frames[0]).toEqual({ ok: true, version: expect.any(String) })
  const texts = frames.filter((frame) => "event" in frame && frame.event === "text") as unknown as {
    data: string
  }[]
  expect(texts.map(({ data }) => data).join("")).toBe("Hello.")
  expect(frames.at(-1)).toEqual({ id: "1", event: "done" })
})
