import { expect } from "bun:test"
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { type Part, textOf } from "../../src/base/parts.ts"
import { type Frame, questionOf, type RawClient, startModel, temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { configFor, openHomeStore, run, startWeft } from "./weft.ts"
import { findHalves } from "./whole.ts"

/** Room for the store and a little of its log. */
const disk = "size=8m"
/** So much is said until the disk is full or has shown that it takes everything. */
const messages_max = 400

async function mountHome() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const home = join(folder.path, "home")
  mkdirSync(home)
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", disk, "tmpfs", home])
  expect(mounted.exitCode).toBe(0)
  stack.defer(() => void Bun.spawnSync(["umount", home]))
  const kept = stack.move()
  return { home, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Takes what room there is, to the last page. */
function fill(home: string): void {
  const file = openSync(join(home, "filler"), "w")
  const page = new Uint8Array(4096)
  try {
    for (;;) writeSync(file, page)
  } catch (thrown) {
    expect((thrown as NodeJS.ErrnoException).code).toBe("ENOSPC")
  } finally {
    closeSync(file)
  }
}

const free = (home: string) => rmSync(join(home, "filler"))

needs({ tmpfs: true })("a full disk refuses what it cannot keep, and the gateway outlives it", async () => {
  await using mounted = await mountHome()
  const { home } = mounted
  const released = Promise.withResolvers<void>()
  await using model = startModel(async function* ({ messages }) {
    const asked = questionOf({ messages })
    if (asked === "wait") yield { until: released.promise }
    yield `the answer to ${asked}`
  })
  let kept: string[]
  {
    await using gateway = await startWeft({ home, config: configFor(model) })
    await using client = await gateway.client()
    const first = await say(client, "before")
    expect(first.error).toBeUndefined()

    // One turn is under way when the room runs out.
    await using waiting = await gateway.client()
    waiting.send({ jsonrpc: "2.0", id: 1, method: "chat.send", params: { content: "wait", peer: "waiting" } })
    expect((await waiting.read()).params).toMatchObject({ type: "started" })
    fill(home)

    const answers = ["before"]
    const refused = await sayUntilRefused(client, answers)
    expect(refused.data).toMatchObject({ code: "storage_failed", reason: "SQLITE_FULL" })
    released.resolve()
    const events: Frame[] = []
    for (let frame = await waiting.read(); ; frame = await waiting.read()) {
      events.push(frame)
      if (frame.id === 1) break
    }
    expect(events.at(-1)?.error?.data).toMatchObject({ code: "storage_failed" })
    expect(events.some(({ params }) => params?.type === "done" && params.stop_reason === "end")).toBe(false)

    expect((await client.call("ping")).result).toBe("pong")
    expect(await answersIn(client)).toEqual(answers)
    expect((await gateway.fetch("/health")).status).toBe(200)
    expect(await (await gateway.fetch("/ready")).json()).toEqual({ ready: false, failing: ["store"] })

    free(home)
    expect((await say(client, "after")).result).toMatchObject({ text: "the answer to after" })
    expect((await gateway.fetch("/ready")).status).toBe(200)
    kept = [...answers, "after"]
    expect(await answersIn(client)).toEqual(kept)
    gateway.kill("SIGKILL")
    await gateway.exited
  }
  await using again = await startWeft({ home })
  await using client = await again.client()
  expect(await answersIn(client)).toEqual(kept)
  using store = openHomeStore(home)
  expect(findHalves(store)).toEqual([])
})

needs({ tmpfs: true })(
  "a gateway whose disk is full stops as it always does, and loses nothing",
  async () => {
    await using mounted = await mountHome()
    const { home } = mounted
    await using model = startModel(({ messages }) => [`the answer to ${questionOf({ messages })}`])
    const answers: string[] = []
    {
      await using gateway = await startWeft({ home, config: configFor(model) })
      await using client = await gateway.client()
      // More than the store's own file has room for, so that folding the log into it takes some.
      for (let count = 0; count < 30; count++) {
        expect((await say(client, `message ${count}`)).error).toBeUndefined()
        answers.push(`message ${count}`)
      }
      fill(home)
      gateway.kill("SIGTERM")
      expect(await gateway.exited).toBe(0)
      expect(gateway.said()).not.toContain("SQLiteError")
    }
    free(home)
    await using again = await startWeft({ home })
    await using client = await again.client()
    expect(await answersIn(client)).toEqual(answers)
  },
)

needs({ tmpfs: true })("a gateway that finds no room to start says so in a line", async () => {
  await using mounted = await mountHome()
  fill(mounted.home)
  const { status, err } = await run(["gateway", "--port", "0", "--home", mounted.home])
  expect(err.split("\n")[0]).toBe("weft: The database could not be written. Is the disk full?")
  expect(status).toBe(74)
  expect(err).not.toContain(" at ")
})

const say = (client: RawClient, content: string) => client.call("chat.send", { content, peer: "full" })

/** Answers the refusal; what was answered until then goes to `answers`. */
async function sayUntilRefused(client: RawClient, answers: string[]): Promise<NonNullable<Frame["error"]>> {
  for (let count = 0; count < messages_max; count++) {
    const { error } = await say(client, `message ${count}`)
    if (error) return error
    answers.push(`message ${count}`)
  }
  throw new Error("the disk was never full")
}

/** To what there is an answer in the history. */
async function answersIn(client: RawClient): Promise<string[]> {
  const { result } = await client.call("chat.history", { session_key: "default:ws:default:full", limit: 500 })
  const { messages } = result as { messages: { role: string; parts: Part[] }[] }
  return messages
    .filter(({ role }) => role === "assistant")
    .map(({ parts }) => textOf(parts).replace("the answer to ", ""))
}
