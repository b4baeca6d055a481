import { expect, test } from "bun:test"
import { openChannels, weakSecrets } from "../../src/channels/channel.ts"
import type { ChannelConfig } from "../../src/channels/config.ts"
import { bytes, hmac, signers } from "./signed.ts"

const now_s = 1_700_000_000
const body = '{"id":1,"text":"hi"}'

/** What makes the delivery the same one as another; undefined where it is refused. */
async function hashOf(
  signature: string,
  headers: Record<string, string>,
  text = body,
  more: ChannelConfig = {},
) {
  const { fields } = signers_now[signature]!
  const table = { plugin: "p", signature, ...fields, ...more } as ChannelConfig
  const channel = openChannels({ one: table }).get("one")!
  return channel.admit(new Headers(headers), now_s * 1000)?.(bytes(text))
}
const signers_now = signers()
const sign = (signature: string, text = body, at_s = now_s) => signers_now[signature]!.sign(text, at_s)

test.each(Object.keys(signers_now))(
  "%s names a delivery by 64 digits, and another one by others",
  async (name) => {
    const one = await hashOf(name, sign(name))
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(await hashOf(name, sign(name))).toBe(one!)
    const other = '{"id":2,"text":"hi"}'
    expect(await hashOf(name, sign(name, other, now_s + 1), other)).not.toBe(one!)
  },
)

test("what Slack sends again is signed anew, and is the same delivery", async () => {
  const again = await hashOf("slack", sign("slack", body, now_s + 60))
  expect(again).toBe((await hashOf("slack", sign("slack")))!)
})

test("what nobody signed makes no other delivery of it", async () => {
  const one = await hashOf("github", sign("github"))
  const headers = { ...sign("github"), "x-github-delivery": crypto.randomUUID(), "x-request-id": "2" }
  expect(await hashOf("github", headers)).toBe(one!)
})

test("an id is the message's own, whatever else is in it; a signed time tells two equal messages apart", async () => {
  const key = Buffer.alloc(24, 7)
  const signed = (id: string, at_s: number, text: string) => ({
    "webhook-id": id,
    "webhook-timestamp": `${at_s}`,
    "webhook-signature": `v1,${hmac(key, `${id}.${at_s}.${text}`, "base64")}`,
  })
  const one = await hashOf("standard-webhooks", signed("msg_1", now_s, body))
  expect(await hashOf("standard-webhooks", signed("msg_1", now_s + 9, "{ }"), "{ }")).toBe(one!)
  expect(await hashOf("standard-webhooks", signed("msg_2", now_s, body))).not.toBe(one!)
  const secret = signers_now["hmac-sha256"]!.fields.secret!
  const timed = (at_s: number) => ({
    "x-time": `${at_s}`,
    "x-signature-256": `sha256=${hmac(secret, `${at_s}.${body}`)}`,
  })
  const more = { timestamp_header: "X-Time" }
  const first = await hashOf("hmac-sha256", timed(now_s), body, more)
  expect(await hashOf("hmac-sha256", timed(now_s), body, more)).toBe(first!)
  expect(await hashOf("hmac-sha256", timed(now_s + 1), body, more)).not.toBe(first!)
})

test("what is no channel is none", () => {
  const tables: Record<string, ChannelConfig> = {
    bare: { token: "of another program" } as ChannelConfig,
    unsigned: { plugin: "p", secret: "any word" },
    without: { plugin: "p", signature: "github" },
    keyless: { plugin: "p", signature: "discord", public_key: "0".repeat(64) },
    unspoken: { signature: "github", secret: "any word" },
    empty: { plugin: "p", signature: "github", secret: "" },
    hollow: { plugin: "p", signature: "header", secret: "" },
    short: { plugin: "p", signature: "github", secret: "any wor" },
    right: { plugin: "p", signature: "github", secret: "any word" },
  }
  expect([...openChannels(tables).keys()]).toEqual(["right"])
})

test("a short secret is said to be one, and not told", () => {
  const warned = weakSecrets({ a: { secret: "sh0rt" }, b: { secret: "x".repeat(16) }, c: {} })
  expect(warned).toHaveLength(1)
  expect(warned[0]).toContain("channels.a.secret")
  expect(warned[0]).not.toContain("sh0rt")
})

test("two channels with the same secret are warned of, as one's requests would be right at the other", () => {
  const secret = "x".repeat(32)
  const one: ChannelConfig = { plugin: "p", signature: "github", secret }
  const warned = weakSecrets({
    a: one,
    b: { ...one, signature: "meta" },
    c: { ...one, secret: `${secret}.` },
  })
  expect(warned).toEqual([
    "channels.b.secret: the same as that of channels.a; a request that is signed for one is right at the other; where the platform lets you choose it, give each its own",
  ])
})
