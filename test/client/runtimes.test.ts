import { expect, test } from "bun:test"
import { join } from "node:path"
import { bundleClient } from "../../scripts/reference/client.ts"
import { needs } from "../needs.ts"
import { started, startServer, text } from "./server.ts"

const bundle_path = join(import.meta.dir, "../../src/client/client.gen.js")

const program = `
  import { connect } from ${JSON.stringify(bundle_path)}
  const client = await connect({ url: process.argv[1], token: "secret", reconnect: { delay_ms: 1 } })
  let text = ""
  const chat = client.chat("hi")
  for await (const event of chat) if (event.type === "text") text += event.text
  console.log(JSON.stringify([text, (await chat.result).stop_reason]))
  client.close()
`

test("the committed bundle is what the client's source makes", async () => {
  expect(await Bun.file(bundle_path).text()).toBe(await bundleClient())
})

test("the bundle names nothing of Bun or Node", async () => {
  const bundle = await Bun.file(bundle_path).text()
  expect(bundle).not.toMatch(/\bBun\.|\bprocess\b|\brequire\(|^import |node:/m)
})

async function streamsOverACut(command: string[]): Promise<void> {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => server.emit(String(turn_id), started, text("Hel")))
  let asked = 0
  server.hooks.onRequest = ({ method }, socket) => {
    if (!method.startsWith("chat.")) return undefined
    if (asked++ === 0) {
      setTimeout(() => socket.terminate(), 0)
    } else {
      server.emit("turn-0", text("lo"))
      server.finish("turn-0")
    }
    return undefined
  }
  await using child = Bun.spawn([...command, server.url], { stdout: "pipe", stderr: "pipe" })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect({ stdout, stderr }).toEqual({ stdout: '["Hello","end"]\n', stderr: "" })
}

needs({ command: "node" })("the bundle streams a turn in Node, over a connection cut in the middle", () =>
  streamsOverACut(["node", "--input-type=module", "--eval", program]),
)

test("the bundle streams a turn in Bun, over a connection cut in the middle", () =>
  streamsOverACut([process.execPath, "--eval", program]))
