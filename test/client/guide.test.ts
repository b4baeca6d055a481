import { expect, test } from "bun:test"
import { join } from "node:path"
import { openSocket, type RawClient, type Started, startGateway } from "../harness.ts"

const guide = await Bun.file(join(import.meta.dir, "../../docs/guides/websocket.md")).text()

type Fence = { language: string; text: string }
const fences: Fence[] = [...guide.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language: language!,
  text: text!,
}))

/** What differs from run to run, and what the guide leaves out, matches anything of its kind. */
const toPattern = (line: string): RegExp =>
  new RegExp(
    `^${line
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "[0-9a-f-]{36}")
      .replace(/(?<=_ms":)[\d.\\]+/g, "[\\d.]+")
      .replace(/(?<=_tokens":)\d+/g, "\\d+")
      .replaceAll("0\\.1\\.0", '[^"]+')
      .replaceAll("…", ".*")}$`,
    "s",
  )

/** The two streams of a socket, answers and events of topics, have no order between them that clients may rely on. */
async function plays({ language, text }: Fence, gateway: Started, known: Map<string, string>): Promise<void> {
  const headers = { authorization: `Bearer ${gateway.token}` }
  await using client = await openSocket(gateway.ws, language.includes("with-header") ? { headers } : {})
  let may_skip = false
  for (const line of text.trimEnd().split("\n")) {
    const frame = line.slice(2)
    if (line.startsWith("→")) {
      const own = (_: string, name: string) => known.get(name === "hello" ? "turn_id" : name) ?? ""
      client.send(frame.replace("weft_…", gateway.token).replace(/\$(hello|approval_id|hash)/g, own))
    } else if (frame === "…") {
      may_skip = true
    } else {
      const came = await reads(client, toPattern(frame), may_skip)
      may_skip = false
      for (const [, name, value] of came.matchAll(/"(turn_id|approval_id|hash)":"([^"]+)"/g)) {
        if (!known.has(name!)) known.set(name!, value!)
      }
    }
  }
}

async function reads(client: RawClient, pattern: RegExp, may_skip: boolean): Promise<string> {
  for (;;) {
    const came = await client.next()
    if (pattern.test(came)) return came
    if (!may_skip) expect(came).toMatch(pattern)
  }
}

const asking = '[agent]\ntools = ["files"]\n[agent.permissions]\nask = ["write"]\n'

test("every frame of the guide is what a gateway says", async () => {
  await using gateway = await startGateway()
  await using asks = await startGateway({ config: asking })
  const known = new Map<string, string>()
  const played = fences.filter(({ language }) => language.startsWith("wire"))
  for (const fence of played) {
    await plays(fence, fence.language.includes("asking") ? asks : gateway, known)
  }
  expect(played.length).toBeGreaterThan(5)
})

async function runs(command: string[], gateway: Started): Promise<string> {
  await using child = Bun.spawn(command, {
    stdout: "pipe",
    stderr: "inherit",
    env: { ...process.env, WEFT_TOKEN: gateway.token },
  })
  return await new Response(child.stdout).text()
}

const program = (language: string, start: string, { port }: Started): string =>
  fences
    .find((fence) => fence.language === language && fence.text.startsWith(start))!
    .text.replaceAll("127.0.0.1:7200", `127.0.0.1:${port}`)

test("the guide's own client works", async () => {
  await using gateway = await startGateway()
  const text = program("ts", "const socket", gateway)
  expect(await runs([process.execPath, "--eval", text], gateway)).toContain('You said: "hello"')
})

test("the guide's program with the library works", async () => {
  await using gateway = await startGateway()
  const library = join(import.meta.dir, "../../src/client/client.gen.js")
  const text = program("ts", "import { connect }", gateway).replace("./client.js", library)
  expect(await runs([process.execPath, "--eval", text], gateway)).toContain('You said: "hello"')
})

const has_websockets = Bun.which("python3") && Bun.spawnSync(["python3", "-c", "import websockets"]).success

test.skipIf(!has_websockets)(
  "the guide's client in Python works (needs its websockets package)",
  async () => {
    await using gateway = await startGateway()
    expect(await runs(["python3", "-c", program("python", "import asyncio", gateway)], gateway)).toContain(
      'You said: "hello"',
    )
  },
)
