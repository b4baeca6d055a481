import { expect, test } from "bun:test"
import { startModel, temporaryFolder } from "../harness.ts"
import { startKillable } from "./killable.ts"
import { deliver, mockConfig, sign } from "./platform.ts"

/** Each stands for something that must not be found where it does not belong. */
const canaries = [
  "c4n4ry-text",
  "c4n4ry-query",
  "c4n4ry-header",
  "c4n4ry-token",
  "c4n4ry-reply",
  "c4n4ry-answer",
]

test("nothing of what platforms send, and no token, is in the log, whatever becomes of it", async () => {
  await using folder = await temporaryFolder()
  await using model = startModel((_asked, call) => (call === 0 ? [{ status: 400 }] : ["c4n4ry-answer"]))
  await using api = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("", { status: 500 }),
  })
  const place = `127.0.0.1:${api.port}`
  const mock = mockConfig({ capabilities: [`http:${place}`], channel: 'bot_token = "c4n4ry-token"' })
  await using gateway = await startKillable({ home: folder.path, model, mock, env: { WEFT_LOG: "debug" } })
  const event = { text: "c4n4ry-text", from: "ann" }
  const url = `http://${place}/c4n4ry-reply`
  const statuses: number[] = []
  for (const [body, headers] of [
    [JSON.stringify(event)],
    [JSON.stringify({ ...event, from: "{{secret:bot_token}}", reply_url: url })],
    [JSON.stringify({ ...event, reply_url: url })],
    [JSON.stringify({ ...event, reply_url: "https://c4n4ry-reply@example.com/c4n4ry-reply" })],
    ["c4n4ry-text is no JSON"],
    [JSON.stringify(event), { "x-signature-256": "c4n4ry-header" }],
    [JSON.stringify(event), { "x-signature-256": `sha256=${"0".repeat(64)}`, "x-other": "c4n4ry-header" }],
  ] as const) {
    const more = headers ?? { "x-signature-256": sign(body) }
    const response = await deliver(gateway, body, { channel: "mock?token=c4n4ry-query", headers: more })
    statuses.push(response.status)
  }
  expect(statuses).toEqual([500, 403, 502, 403, 400, 401, 401])
  const log = await gateway.stop()
  expect(log).toContain("a webhook was refused")
  expect(log).toContain("a platform did not take an answer")
  for (const canary of canaries) expect([canary, log.includes(canary)]).toEqual([canary, false])
}, 30_000)
