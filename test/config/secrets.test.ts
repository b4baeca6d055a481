import { expect, test } from "bun:test"
import { chmod, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { files } from "../../src/config/read.ts"
import { credentialPath, providerKey } from "../../src/config/secrets.ts"
import { load } from "./needs.ts"
import { temporaryFolder } from "./temporary-folder.ts"

const text = `
[providers.openai]
api_key = { env = "KEY" }
headers = { Authorization = "Bearer canary-1", x-title = "weft" }
base_url = "https://user:canary-2@host/v1"
[providers.anthropic]
api_key = { file = "keys/a" }
[agent]
api_key = "canary-3"
[secrets]
GITHUB = "canary-4"
[channels.chat]
secret = { env = "KEY" }
bot_token = "canary-5"
app = { signing_secret = "canary-6", id = "7", other = { env = "KEY" } }
`
const env = { KEY: "canary-env" }
const secrets = { "/home/keys/a": { text: "canary-file\n", shared: false } }

test("references are resolved, from the environment and from files beside the configuration", async () => {
  const { config } = await load(text, { env, secrets })
  expect(config.providers.openai!.api_key).toBe("canary-env")
  expect(config.providers.anthropic!.api_key).toBe("canary-file")
  const chat: unknown = config.channels.chat
  expect(chat).toEqual({
    secret: "canary-env",
    bot_token: "canary-5",
    app: { signing_secret: "canary-6", id: "7", other: "canary-env" },
  })
  expect(config.providers.openai!.headers).toEqual({ Authorization: "Bearer canary-1", "x-title": "weft" })
})

test("what may be shown has references and no secret", async () => {
  const { shown } = await load(text, { env, secrets })
  expect(JSON.stringify(shown)).not.toContain("canary")
  const openai: unknown = shown.providers.openai
  expect(openai).toMatchObject({ api_key: { env: "KEY" }, base_url: "https://[redacted]@host/v1" })
  expect(shown.channels.chat).toMatchObject({
    bot_token: "[redacted]",
    app: { id: "7", other: { env: "KEY" } },
  })
})

test("a literal secret is a warning that does not repeat it; a header is none", async () => {
  const { warnings } = await load(text, { env, secrets })
  expect(warnings.map(({ line, key }) => [line, key])).toEqual([
    [9, "agent.api_key"],
    [11, "secrets.GITHUB"],
    [14, "channels.chat.bot_token"],
    [15, "channels.chat.app.signing_secret"],
  ])
  expect(JSON.stringify(warnings)).not.toContain("canary")
})

test("a secret from a variable of its own is no literal, and is shown as that variable", async () => {
  const { config, shown, warnings } = await load("", { env: { WEFT_PROVIDERS_OPENAI_API_KEY: "canary" } })
  expect(config.providers.openai!.api_key).toBe("canary")
  expect(shown.providers.openai!.api_key as unknown).toEqual({ env: "WEFT_PROVIDERS_OPENAI_API_KEY" })
  expect(warnings).toEqual([])
})

test.each([
  ["is empty", { text: "\n", shared: false }, "an empty file"],
  ["cannot be read", { reason: "EACCES" }, "EACCES"],
])("a secret's file that %s is refused", async (_title, file, got) => {
  const failed = load('[secrets]\nA = { file = "/run/a" }', { secrets: { "/run/a": file } })
  await expect(failed).rejects.toMatchObject({ data: { line: 2, column: 1, key: "secrets.A", got } })
})

test("no error repeats a secret that was written in its place", async () => {
  const wrong = '[providers.openai]\napi_key = ["canary"]\n[secrets]\nA = { env = "B", canary = "canary" }\n'
  const error = await load(wrong).catch((thrown: Error & { data: unknown }) => thrown)
  expect(JSON.stringify((error as { data: unknown }).data)).not.toContain("canary")
  const cut = await load('[secrets]\nA = "canary').catch((thrown: Error & { data: unknown }) => thrown)
  expect(JSON.stringify((cut as { data: unknown }).data)).not.toContain("canary")
})

test("a real file that others may read is a warning", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "key")
  await Bun.write(path, "canary\r\n")
  await chmod(path, 0o600)
  expect(await files.readSecretFile(path)).toEqual({ text: "canary\r\n", shared: false })
  await chmod(path, 0o640)
  const file = (await files.readSecretFile(path))!
  expect(file).toEqual({ text: "canary\r\n", shared: true })
  const { config, warnings } = await load(`[secrets]\nA = { file = "${path}" }`, {
    secrets: { [path]: file },
  })
  expect(config.secrets).toEqual({ A: "canary" })
  expect(warnings).toMatchObject([
    { line: 2, key: "secrets.A", expected: expect.stringContaining("chmod 600") },
  ])
})

test("what is no file is not read as a secret", async () => {
  await using folder = await temporaryFolder()
  expect(await files.readSecretFile(join(folder.path, "none"))).toBeUndefined()
  expect(await files.readSecretFile(folder.path)).toEqual({ reason: "EISDIR" })
})

test("a provider's key is found under its usual variables first, then in the home", async () => {
  await using folder = await temporaryFolder()
  const home = folder.path
  const find = (env: Record<string, string>) =>
    providerKey("google", ["GOOGLE_API_KEY", "GEMINI_API_KEY"], {
      env,
      home,
      readSecretFile: files.readSecretFile,
    })
  expect(await find({})).toBeUndefined()
  await mkdir(join(home, "credentials"))
  await Bun.write(credentialPath(home, "google"), " from-file\n")
  await chmod(credentialPath(home, "google"), 0o600)
  expect(await find({})).toEqual({ key: "from-file", from: credentialPath(home, "google"), shared: false })
  expect(await find({ GEMINI_API_KEY: "b" })).toEqual({ key: "b", from: "GEMINI_API_KEY", shared: false })
  expect(await find({ GEMINI_API_KEY: "b", GOOGLE_API_KEY: "a" })).toMatchObject({ key: "a" })
})
