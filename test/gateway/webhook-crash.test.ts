import { expect, test } from "bun:test"
import { join, resolve } from "node:path"
import { buildPlugins } from "../../scripts/plugins.ts"
import { type Model, startModel, temporaryFolder } from "../harness.ts"
import { deliver, mockConfig, startPlatform, told } from "./platform.ts"

const configFor = ({ url }: Model, mock: string) =>
  `[agent]\nprovider = "script"\nmodel = "scripted"\n[providers.script]\nkind = "openai-compatible"\nbase_url = "${url}"\n${mock}`

/** A gateway in a process of its own, that can be killed. */
async function startKillable(home: string) {
  const argv = [process.execPath, resolve("src/main.ts"), "gateway", "--json", "--home", home, "--port", "0"]
  const { PATH = "" } = process.env
  const child = Bun.spawn(argv, { env: { PATH, HOME: home }, stdout: "pipe", stderr: "ignore", cwd: home })
  let said = ""
  for await (const bytes of child.stdout) {
    said += new TextDecoder().decode(bytes)
    if (said.includes("\n")) break
  }
  const { url } = JSON.parse(said.split("\n")[0]!) as { url: string }
  return {
    url,
    kill: () => {
      child.kill("SIGKILL")
      return child.exited
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      await child.exited
    },
  }
}

const never = () => [{ until: new Promise(() => undefined) }]

/** Sends a delivery to a gateway that is killed while its model thinks; answers what the platform heard of it. */
async function killInTheMiddle(home: string, mock: string, event: object) {
  await buildPlugins(["mock-channel"])
  const begun = Promise.withResolvers<void>()
  await using model = startModel(() => {
    begun.resolve()
    return never()
  })
  await Bun.write(join(home, "config.toml"), configFor(model, mock))
  await using gateway = await startKillable(home)
  const heard = deliver(gateway, event).then(told, () => "nothing" as const)
  await begun.promise
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
