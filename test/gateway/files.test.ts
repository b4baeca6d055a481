import { afterAll, expect, test } from "bun:test"
import { mkdirSync, readdirSync } from "node:fs"
import { sniff } from "../../src/gateway/files.ts"
import { startGateway, startModel } from "../harness.ts"
import { ask, call, makeToken } from "./client.ts"

const model = startModel(() => ["fine"])
const gateway = await startGateway({ model, config: "[gateway]\nfile_bytes_max = 2048\n" })
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

const upload = (bytes: Uint8Array | string, path = "/files", token = gateway.token) =>
  fetch(`${gateway.url}${path}`, { method: "POST", ...bearer(token), body: bytes as BodyInit })
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
)

test.each([
  ["an image", png, "image/png"],
  ["text", "grüße", "text/plain"],
  ["a page, which is text to us", "<script>alert(1)</script>", "text/plain"],
  ["text with a NUL", "a\0b", "application/octet-stream"],
  ["bytes that are no text", new Uint8Array([0xff, 0xfe, 0xfd]), "application/octet-stream"],
  ["a document", "%PDF-1.7\n", "application/pdf"],
])("the type of %s is what its bytes say", async (_what, bytes, mime) => {
  const response = await upload(bytes)
  expect(response.status).toBe(201)
  expect(await response.json()).toEqual({
    file_id: expect.any(String),
    mime,
    bytes: Buffer.from(bytes as string).length,
  })
})

test.each([
  ["\xff\xd8\xff\xe0", "image/jpeg"],
  ["GIF89a", "image/gif"],
  ["RIFF\0\0\0\0WEBPVP8 ", "image/webp"],
  ["RIFF\0\0\0\0WAVEfmt ", "audio/wav"],
  ["PK\x03\x04", "application/zip"],
  ["\0\0\0\x18ftypmp42", "video/mp4"],
  ["GIF", "text/plain"],
])("%p is %s", (head, mime) => {
  expect(sniff(Buffer.from(head, "latin1"))).toBe(mime)
})

test("a file beyond the limit is refused, as is none", async () => {
  expect((await upload("x".repeat(2048))).status).toBe(201)
  const refused = await upload("x".repeat(2049))
  expect([refused.status, await refused.json()]).toMatchObject([
    413,
    { error: { code: "too_large", data: { limit: 2048 } } },
  ])
  expect((await upload("")).status).toBe(400)
})

test("the same bytes are kept once, under their hash, readable by the owner only", async () => {
  const [first, second] = (await Promise.all(
    [upload("twice"), upload("twice")].map(async (one) => (await one).json()),
  )) as { file_id: string }[]
  expect(first!.file_id).not.toBe(second!.file_id)
  const hash = new Bun.CryptoHasher("sha256").update("twice").digest("hex")
  const kept = Bun.file(`${gateway.home}/files/${hash}`)
  expect(await kept.text()).toBe("twice")
  expect((await kept.stat()).mode & 0o777).toBe(0o600)
  const { ino } = await kept.stat()
  await upload("twice")
  expect((await kept.stat()).ino).toBe(ino)
  const names = await Array.fromAsync(new Bun.Glob(`${hash}*`).scan(`${gateway.home}/files`))
  expect(names).toEqual([hash])
})

test("a file that cannot be written is refused as such and leaves nothing behind", async () => {
  await upload("the folder is there")
  const hash = new Bun.CryptoHasher("sha256").update("in the way").digest("hex")
  mkdirSync(`${gateway.home}/files/${hash}`)
  const answer = await upload("in the way")
  expect([answer.status, await answer.json()]).toMatchObject([
    507,
    { error: { code: "storage_failed", data: { reason: "EISDIR" } } },
  ])
  expect(readdirSync(`${gateway.home}/files`).filter((name) => name.startsWith(hash))).toEqual([hash])
})

test("attachments reach the model: an image as one, a text by its name", async () => {
  const image = (await (await upload(png)).json()) as { file_id: string }
  const text = (await (await upload("the notes", "/files?name=notes.txt")).json()) as { file_id: string }
  const attachments = [image.file_id, text.file_id]
  await ask(gateway, "chat.send", { content: "look", peer: "files", attachments })
  const { content } = model.asked.at(-1)!.messages.at(-1)!
  const sent = JSON.stringify(content)
  expect(content).toContainEqual({
    type: "image_url",
    image_url: { url: `data:image/png;base64,${png.toString("base64")}` },
  })
  expect(sent).toContain("the notes")
  expect(sent).toContain("look")
  const { messages } = await ask<{ messages: { parts: object[] }[] }>(gateway, "chat.history", {
    session_key: "default:ws:default:files",
  })
  expect(messages[0]!.parts).toEqual([
    { type: "image", file_id: image.file_id, mime: "image/png" },
    { type: "file", file_id: text.file_id, mime: "text/plain", name: "notes.txt" },
    { type: "text", text: "look" },
  ])
})

test("the attachments of a message are together no larger than one file may be", async () => {
  const { file_id } = (await (await upload("x".repeat(1000))).json()) as { file_id: string }
  const say = (count: number) =>
    call(gateway, "chat.send", { content: "look", attachments: Array(count).fill(file_id) })
  expect(await say(2)).toMatchObject({ result: { text: "fine" } })
  expect(await say(3)).toMatchObject({ error: { data: { code: "too_large", limit: 2048 } } })
})

test("another token's file is not there", async () => {
  const owner = await makeToken(gateway, { scopes: ["chat"] })
  const other = await makeToken(gateway, { scopes: ["chat"] })
  const { file_id } = (await (await upload("mine", "/files", owner.token)).json()) as { file_id: string }
  const send = (token: string, id: string) =>
    call(gateway, "chat.send", { content: "x", peer: "f", attachments: [id] }, token)
  expect(await send(other.token, file_id)).toMatchObject({
    error: { code: -32004, data: { code: "not_found", what: "file" } },
  })
  expect(await send(other.token, "../weft.db")).toMatchObject({ error: { data: { code: "not_found" } } })
  expect(await send(owner.token, file_id)).toMatchObject({ result: { stop_reason: "end" } })
})
