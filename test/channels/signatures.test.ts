/** Published vectors of each scheme and what lies beside them. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import { schemes } from "../../src/channels/schemes.ts"
import { fromBase64, fromHex, hmacOf } from "../../src/channels/signature.ts"
import { bytes, hmac, keyPair, signers, verify } from "./signed.ts"

const slack_secret = "8f742231b10e8888abcd99yyyzzz85a5"
const slack_body =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
const slack_s = 1_531_420_618
const slack_headers = {
  "x-slack-request-timestamp": `${slack_s}`,
  "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}

test("the published vectors are right", async () => {
  expect(await verify("slack", { secret: slack_secret }, slack_headers, slack_body, slack_s)).toBeDefined()
  const hub = (digest: string) => ({ "x-hub-signature-256": `sha256=${digest}` })
  const github = hub("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
  const secret = "It's a Secret to Everybody"
  expect(await verify("github", { secret }, github, "Hello, World!", 0)).toBeDefined()
  const meta = hub("0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914")
  expect(await verify("meta", { secret: "secret" }, meta, "test", 0)).toBeDefined()
  const standard = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  }
  const key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  for (const one of [key, `whsec_${key}`]) {
    const fields = { secret: one }
    const told = await verify("standard-webhooks", fields, standard, '{"test": 2432232314}', 1_614_265_330)
    expect(told).toEqual({ id: "msg_p5jXN8AQM9LWM0D4loKWxJek" })
  }
})

test.each([
  [Buffer.alloc(20, 0x0b), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    Buffer.from("Jefe"),
    "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    Buffer.alloc(131, 0xaa),
    "Test Using Larger Than Block-Size Key - Hash Key First",
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
])("the HMAC is that of RFC 4231 (%#)", (key, text, digest) => {
  expect(Buffer.from(hmacOf(key, text)).toString("hex")).toBe(digest)
})

const now_s = 1_700_000_000
const body = '{"text":"caf\\u00e9","n":1}'

test.each(Object.entries(signers()))(
  "%s lets its own requests in and nothing beside them",
  async (name, one) => {
    const { fields, sign } = one
    const headers = sign(body, now_s)
    const at = (more: object, text = body, s = now_s) =>
      verify(name, fields, { ...headers, ...more } as Record<string, string>, text, s)
    expect(await at({})).toBeDefined()
    expect(await verify(name, fields, {}, body, now_s)).toBeUndefined()
    const is_signed = !["header", "token"].includes(name)
    if (is_signed) {
      for (const other of [
        '{"text":"café","n":1}',
        body.replace(",", ", "),
        `${body}\n`,
        "",
        body.slice(1),
      ]) {
        expect(await at({}, other)).toBeUndefined()
      }
    }
    for (const [header, value] of Object.entries(headers)) {
      // Some of what is checked has no form of its own: another id is another message, which the signature tells.
      const wrong = [
        "",
        value.slice(1),
        value.slice(0, -1),
        `${value}0`,
        `${value}, ${value}`,
        value.replace(/[0-9a-f]$/, (c) => (c === "0" ? "1" : "0")),
        value.replace(/.$/, "é"),
        `x${value}`,
      ].filter((text) => text !== value)
      for (const text of wrong)
        expect([name, text, await at({ [header]: text })]).toEqual([name, text, undefined])
      const missing = Object.fromEntries(Object.entries(headers).filter(([key]) => key !== header))
      expect(await verify(name, fields, missing, body, now_s)).toBeUndefined()
      const twice: [string, string][] = [...Object.entries(headers), [header, value]]
      expect(await verify(name, fields, twice, body, now_s)).toBeUndefined()
    }
    const others = signers()[name]!
    if (is_signed && name !== "standard-webhooks" && name !== "discord") {
      expect(
        await verify(name, { secret: "another secret of that length" }, headers, body, now_s),
      ).toBeUndefined()
    }
    if (name === "discord") expect(await verify(name, others.fields, headers, body, now_s)).toBeUndefined()
  },
)

test.each(["slack", "standard-webhooks", "discord"])(
  "%s refuses what is old or yet to come",
  async (name) => {
    const { fields, sign } = signers()[name]!
    const headers = sign(body, now_s)
    for (const [shift_s, is_let_in] of [
      [0, true],
      [300, true],
      [-300, true],
      [301, false],
      [-301, false],
      [86_400, false],
    ] as const) {
      const told = await verify(name, fields, headers, body, now_s + shift_s)
      expect([shift_s, told !== undefined]).toEqual([shift_s, is_let_in])
    }
    const wide = { ...fields, tolerance_s: 600 }
    expect(await verify(name, wide, headers, body, now_s + 599)).toBeDefined()
  },
)

test.each([
  "1.7e9",
  "0x6553f100",
  " 1700000000",
  "+1700000000",
  "1700000000.0",
  "-1",
  "NaN",
  "",
  "1700000000000",
])("a signed timestamp %p is none", async (timestamp) => {
  const secret = slack_secret
  const signature = `v0=${hmac(secret, `v0:${timestamp}:${body}`)}`
  const headers = { "x-slack-request-timestamp": timestamp, "x-slack-signature": signature }
  // Headers lose the space around their values, and the signature is that of the other text then.
  expect(await verify("slack", { secret }, headers, body, now_s)).toBeUndefined()
})

test("a signature in other letters, or another version's, is none", async () => {
  const { fields, sign } = signers().slack!
  const headers = sign(body, now_s)
  const digest = headers["x-slack-signature"]!.slice(3)
  for (const text of [
    digest,
    `v1=${digest}`,
    `V0=${digest}`,
    `v0=${digest.toUpperCase()}`,
    `v0=${"0".repeat(64)}`,
  ]) {
    expect(
      await verify("slack", fields, { ...headers, "x-slack-signature": text }, body, now_s),
    ).toBeUndefined()
  }
})

test("a digest behind another word than sha256 is none", async () => {
  const { fields, sign } = signers().github!
  const digest = sign(body, 0)["x-hub-signature-256"]!.slice(7)
  for (const word of ["sha1=", "sha512=", "SHA256=", "sha256:", "", "sha256 "]) {
    expect(await verify("github", fields, { "x-hub-signature-256": word + digest }, body, 0)).toBeUndefined()
  }
})

test("while a key changes, one right signature among several is enough", async () => {
  const { fields, sign } = signers()["standard-webhooks"]!
  const headers = sign(body, now_s)
  const right = headers["webhook-signature"]!
  const wrong = `v1,${Buffer.alloc(32, 1).toString("base64")}`
  const at = (text: string) =>
    verify("standard-webhooks", fields, { ...headers, "webhook-signature": text }, body, now_s)
  expect(await at(`${wrong} ${right}`)).toBeDefined()
  expect(await at(`v1a,abc v2,abc ${right}`)).toBeDefined()
  for (const text of [
    wrong,
    right.replace("v1,", "v2,"),
    right.replace("v1,", ""),
    `${wrong} `.repeat(9) + right,
  ]) {
    expect(await at(text)).toBeUndefined()
  }
})

test("an id with a dot could be read in two ways, and is refused", async () => {
  const { fields } = signers()["standard-webhooks"]!
  const key = Buffer.alloc(24, 7)
  const [id, text] = ["msg.1", "{}"]
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": `${now_s}`,
    "webhook-signature": `v1,${hmac(key, `${id}.${now_s}.${text}`, "base64")}`,
  }
  expect(await verify("standard-webhooks", fields, headers, text, now_s)).toBeUndefined()
})

test("the generic scheme signs as it is told to", async () => {
  const secret = "another secret of that length"
  const base64 = { secret, header: "X-Shop-Hmac", prefix: "", encoding: "base64" } as const
  const right = hmac(secret, body, "base64")
  expect(await verify("hmac-sha256", base64, { "x-shop-hmac": right }, body, 0)).toEqual({ timestamp: "" })
  for (const text of [
    right.replace("=", ""),
    hmac(secret, body),
    right.replaceAll("+", "-").replaceAll("/", "_ "),
  ]) {
    expect(await verify("hmac-sha256", base64, { "x-shop-hmac": text }, body, 0)).toBeUndefined()
  }
  const timed = { secret, timestamp_header: "X-Time" }
  const headers = {
    "x-time": `${now_s}`,
    "x-signature-256": `sha256=${hmac(secret, `${now_s}.${body}`)}`,
  }
  expect(await verify("hmac-sha256", timed, headers, body, now_s)).toEqual({ timestamp: `${now_s}` })
  expect(await verify("hmac-sha256", timed, headers, body, now_s + 301)).toBeUndefined()
  expect(
    await verify("hmac-sha256", timed, { ...headers, "x-time": `${now_s + 1}` }, body, now_s),
  ).toBeUndefined()
  // Without the timestamp the same digest is none.
  expect(await verify("hmac-sha256", { secret }, headers, body, now_s)).toBeUndefined()
})

test("any change of any byte of a signed body is found", async () => {
  const { fields, sign } = signers()["hmac-sha256"]!
  const headers = sign(body, now_s)
  await fc.assert(
    fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (index, mask) => {
      const other = bytes(body)
      other[index]! ^= mask
      expect(await verify("hmac-sha256", fields, headers, other, now_s)).toBeUndefined()
    }),
  )
})

test.each(Object.entries(signers()))(
  "%s takes whatever a stranger puts into its headers, and refuses it",
  async (name, one) => {
    const names = Object.keys(one.sign(body, now_s))
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdefv=,.+/ AZ"), maxLength: 140 })
    const latin1 = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    })
    const prefix = fc.constantFrom("", "v0=", "sha256=", "v1,", "Bearer ", `${now_s}`)
    const value = fc.tuple(prefix, fc.oneof(hex, latin1)).map(([before, after]) => before + after)
    await fc.assert(
      fc.asyncProperty(fc.tuple(...names.map(() => value)), async (values) => {
        const headers = Object.fromEntries(names.map((header, index) => [header, values[index]!]))
        expect(await verify(name, one.fields, headers, body, now_s)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  },
)

const rfc_key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
const rfc_signature =
  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
const order = 2n ** 252n + 27742317777372353535851937790883648493n
const little = (value: bigint) =>
  Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse().toString("hex")

test("the Ed25519 below Discord's scheme is that of RFC 8032, and takes no other form of a signature", async () => {
  const key = await crypto.subtle.importKey("raw", Buffer.from(rfc_key, "hex"), "Ed25519", false, ["verify"])
  const right = (signature: string) =>
    crypto.subtle.verify("Ed25519", key, Buffer.from(signature, "hex"), new Uint8Array())
  expect(await right(rfc_signature)).toBe(true)
  const [r, s] = [rfc_signature.slice(0, 64), rfc_signature.slice(64)]
  const scalar = BigInt(`0x${Buffer.from(s, "hex").reverse().toString("hex")}`)
  // The same scalar, a multiple of the group's order further; and what is no signature at all.
  for (const more of [1n, 2n, 7n]) expect(await right(r + little(scalar + more * order))).toBe(false)
  for (const other of ["0".repeat(128), r + "0".repeat(64), "0".repeat(64) + s, r + little(order)]) {
    expect(await right(other)).toBe(false)
  }
})

const schemeOf = (name: string) => schemes.find((one) => one.name === name)!

const p = 2n ** 255n - 19n
const small_orders = [
  "0".repeat(64),
  `01${"0".repeat(62)}`,
  `01${"0".repeat(60)}80`,
  `${"0".repeat(62)}80`,
  little(p - 1n),
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
const not_canonical = [...Array(19).keys()].map((k) => little(p + BigInt(k)))

test.each([...small_orders, ...not_canonical, "f".repeat(64)])(
  "%s is no public key to hold signatures to",
  (key) => {
    expect(schemeOf("discord").check({ public_key: key })).toMatchObject([{ field: "public_key" }])
  },
)

test("keys that somebody has are accepted, and half of all other numbers are no points", () => {
  for (let n = 0; n < 20; n++)
    expect(schemeOf("discord").check({ public_key: keyPair().public_key })).toEqual([])
  expect(schemeOf("discord").check({ public_key: rfc_key })).toEqual([])
  const numbers = [...Array(200).keys()].map((n) => `${hmac("any", `${n}`).slice(0, 62)}00`)
  const points = numbers.filter((public_key) => schemeOf("discord").check({ public_key }).length === 0)
  expect(points.length).toBeGreaterThan(60)
  expect(points.length).toBeLessThan(140)
})

test.each([
  ...["slack", "github", "meta", "hmac-sha256"].map(
    (name) => [name, { secret: "7 chars" }, "secret"] as const,
  ),
  ["slack", {}, "secret"],
  ["github", {}, "secret"],
  ["meta", { verify_token: "t" }, "secret"],
  ["standard-webhooks", {}, "secret"],
  ["standard-webhooks", { secret: "whsec_not base64" }, "secret"],
  ["standard-webhooks", { secret: "whsec_AAAA" }, "secret"],
  ["discord", { secret: "a secret of more than 16 characters" }, "public_key"],
  ["discord", { public_key: "abc" }, "public_key"],
  ["discord", { public_key: rfc_key.toUpperCase() }, "public_key"],
  ["hmac-sha256", { header: "x" }, "secret"],
  ["header", {}, "secret"],
  ["header", { secret: "short" }, "secret"],
  ["header", { secret: "with a space, and long enough" }, "secret"],
  ["token", {}, "secret"],
  ["token", { secret: "naïve-but-long-enough" }, "secret"],
] as const)("%s does not start with %o", (name, fields, field) => {
  expect(schemeOf(name).check(fields)).toMatchObject([{ field }])
})

test.each(["slack", "github", "meta", "hmac-sha256"])(
  "%s starts with a secret of 8 characters, and says of a shorter one how long it is and no more",
  (name) => {
    const { check } = schemeOf(name)
    expect(check({ secret: "8 chars." })).toEqual([])
    const problems = check({ secret: "sh0rt" })
    expect(problems).toMatchObject([
      { field: "secret", expected: "at least 8 characters", got: "5 characters" },
    ])
    expect(JSON.stringify(problems)).not.toContain("sh0rt")
  },
)

test("Meta's question is answered to who knows the token, with a word and nothing else", () => {
  const { challenge } = schemeOf("meta")
  const ask = (query: string, verify_token: string | undefined = "the token") =>
    challenge!(verify_token === undefined ? {} : { verify_token }, new URLSearchParams(query))
  const right = "hub.mode=subscribe&hub.verify_token=the+token&hub.challenge=1158201444"
  expect(ask(right)).toBe("1158201444")
  for (const query of [
    "",
    right.replace("the", "no"),
    right.replace("subscribe", "unsubscribe"),
    right.replace("hub.mode", "mode"),
    right.replace("1158201444", "%3Cscript%3E"),
    right.replace("1158201444", "1".repeat(257)),
    right.replace(/&hub.challenge.*/, ""),
    right.replace("the+token", ""),
  ]) {
    expect([query, ask(query)]).toEqual([query, undefined])
  }
  expect(schemeOf("meta").challenge!({}, new URLSearchParams(right))).toBeUndefined()
  expect(ask(right.replace("the+token", ""), "")).toBeUndefined()
})

test("hex and base64 have one form each", () => {
  expect(fromHex("00ff", 2)).toEqual(Uint8Array.of(0, 255))
  for (const text of ["00FF", "0ff", "00f", "00fg", " 00ff", "00ff00"])
    expect(fromHex(text, 2)).toBeUndefined()
  expect(fromBase64("AAE=")).toEqual(Buffer.of(0, 1))
  for (const text of ["AAE", "AAF=", "AA E=", "AAE==", "_-8=", "AAE=\n"])
    expect(fromBase64(text)).toBeUndefined()
})
