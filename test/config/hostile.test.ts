import { expect, test } from "bun:test"
import { join } from "node:path"
import fc from "fast-check"
import { AppError } from "../../src/base/errors.ts"
import { load } from "./needs.ts"

const good = `${await Bun.file(join(import.meta.dir, "files", "whole.toml")).text()}
[[plugins]]
name = "mock-channel"
path = "plugins/mock.wasm"
[providers.openai]
`
const env = { ANTHROPIC_API_KEY: "a", GITHUB_TOKEN: "g", MOCK_SECRET: "mock-secret", BRAVE_API_KEY: "b" }

/** Whatever the text, there is a configuration or an invalid_config that says something. */
async function outcome(text: string) {
  try {
    return await load(text, { env })
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "invalid_config") throw thrown
    expect(thrown.data).toMatchObject({ file: "/home/weft.toml", expected: expect.any(String) })
    return undefined
  }
}

test("a file that was cut off never opens a door", async () => {
  const step = good.length / 200
  let refused = 0
  for (let index = 0; index < 200; index++) {
    const loaded = await outcome(good.slice(0, Math.floor(index * step)))
    if (!loaded) refused++
    expect(loaded?.config.gateway.auth ?? "token").toBe("token")
    expect(loaded?.config.gateway.bind ?? "127.0.0.1").toBe("127.0.0.1")
    // A rule that is there is there whole.
    const deny = loaded?.config.agent.permissions?.deny ?? []
    expect([[], ["exec:rm", "network:*.internal"]]).toContainEqual(deny)
  }
  expect(refused).toBeGreaterThan(100)
})

test("a flipped bit is a configuration or an error, and never takes the tokens away", async () => {
  const bytes = new TextEncoder().encode(good)
  const flip = fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) })
  await fc.assert(
    fc.asyncProperty(flip, async ({ at, bit }) => {
      const flipped = bytes.slice()
      flipped[at]! ^= 1 << bit
      const loaded = await outcome(new TextDecoder().decode(flipped))
      expect(loaded?.config.gateway.auth ?? "token").toBe("token")
    }),
    { numRuns: 500 },
  )
})

test("any text is a configuration or an error", async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "[gateway]",
      "[[agents]]",
      "[agent.fallback]",
      "[__proto__]",
      "port = ",
      "= 1",
      "a.b.c = {",
      "]]",
    ),
  )
  const texts = fc.array(line).map((lines) => lines.join("\n"))
  await fc.assert(fc.asyncProperty(texts, async (text) => void (await outcome(text))))
})

test.each([
  ["deep lists", `x = ${"[".repeat(100_000)}`],
  ["deep tables", `${"[a.".repeat(1)}${"a.".repeat(20_000)}a]`],
  ["a key of a megabyte", `${"k".repeat(1_000_000)} = 1`],
  ["a fallback without end", `[agent${".fallback".repeat(20_000)}]\nmodel = "x"`],
  ["a channel without end", `[channels.x${".deep".repeat(20_000)}]\nmodel = "x"`],
  ["a byte order mark", "\ufeff[gateway]\nport = 1"],
  ["a zero byte", "[gateway]\nport = 1\0"],
  ["only a comment", "#"],
])("%s are a configuration or an error", async (_title, text) => {
  await outcome(text)
})
