/** docs/guides/channels.md: its configurations are accepted, and its command is answered. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { buildPlugins, plugins_folder } from "../../scripts/plugins.ts"
import { openChannels } from "../../src/channels/channel.ts"
import { schemes } from "../../src/channels/schemes.ts"
import { load } from "../config/needs.ts"
import { startGateway } from "../harness.ts"
import { needs } from "../needs.ts"

// Before the first test, whose time it is not.
await buildPlugins(["mock-channel"])
const guide = await Bun.file("docs/guides/channels.md").text()

const blocks = (language: string) =>
  [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!)

const secret = "a-secret-of-more-than-16-characters"

test.each(blocks("toml"))("the guide's configuration is one: %#", async (text) => {
  const variables = [...text.matchAll(/env = "(\w+)"/g)].map(([, name]) => [name!, secret])
  const env = { ...Object.fromEntries(variables), WHSEC: `whsec_${Buffer.alloc(24, 7).toString("base64")}` }
  const plugin = /^plugin = "(.*)"$/m.exec(text)![1]
  const declared = text.includes("[[plugins]]") ? "" : `[[plugins]]\nname = "${plugin}"\npath = "a.wasm"\n`
  const files = ["/home/a.wasm", "/home/plugins/mock-channel.wasm"]
  const { config, warnings } = await load(declared + text, { env, files })
  expect(warnings).toEqual([])
  expect([...openChannels(config.channels).keys()]).toEqual([/^\[channels\.(.*)\]$/m.exec(text)![1]!])
})

test("the guide has an example and a line of the table for each scheme", () => {
  const examples = blocks("toml").join("\n")
  for (const { name } of schemes) {
    expect(examples).toContain(`signature = "${name}"`)
    expect(guide).toContain(`| \`${name}\` |`)
  }
})

needs({ command: ["curl", "openssl"] })("the guide's command is answered", async () => {
  const path = JSON.stringify(join(plugins_folder, "mock-channel.wasm"))
  const config = blocks("toml")[0]!.replace('"plugins/mock-channel.wasm"', path)
  await using gateway = await startGateway({ config, env: { MOCK_SECRET: secret } })
  const command = blocks("sh")[0]!.replace(":7200", `:${gateway.port}`)
  const run = async () => {
    const child = Bun.spawn(["sh", "-c", command], {
      env: { ...process.env, MOCK_SECRET: secret },
      stdout: "pipe",
    })
    return new Response(child.stdout).text()
  }
  expect(await run()).toContain('{"chat":"ann","text":')
  expect(await run()).toBe('{"status":"duplicate"}')
})
