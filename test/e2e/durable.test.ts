import { expect, test } from "bun:test"
import { join } from "node:path"
import { questionOf, startModel, temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { configFor, startWeft } from "./weft.ts"

const turns = 400
const sessions = 8
const calls = "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg"

needs({ command: "strace" })(
  "nothing is acknowledged before it is synced to the disk",
  async () => {
    await using folder = await temporaryFolder()
    await using model = startModel((asked) => [`answer ${questionOf(asked).slice(9)}`])
    const trace = join(folder.path, "trace")
    const through = ["strace", "-f", "-y", "-s", "70000", "-e", calls, "-o", trace]
    await using gateway = await startWeft({
      home: join(folder.path, "home"),
      config: configFor(model),
      through,
    })
    await using client = await gateway.client()
    for (let id = 0; id < turns; id++) {
      const params = { content: `question ${id}.`, peer: `peer ${id % sessions}` }
      client.send({ jsonrpc: "2.0", id, method: "chat.send", params })
      // One that waits for its answer keeps the number in flight below the limit.
      if (id >= sessions * 2) await answer(client)
    }
    for (let id = 0; id < sessions * 2; id++) await answer(client)
    gateway.kill("SIGTERM")
    expect(await gateway.exited).toBe(0)
    expect(findEarly((await Bun.file(trace).text()).split("\n"))).toEqual({
      early: [],
      started: turns,
      done: turns,
      answered: turns,
    })
  },
  60_000,
)

async function answer(client: { read(): Promise<{ id?: unknown; error?: unknown }> }): Promise<void> {
  for (;;) {
    const { id, error } = await client.read()
    expect(error).toBeUndefined()
    if (id !== undefined) return
  }
}

const written = '7 pwrite64(10</h/weft.db-wal>, "question 1. answer 1.", 4096, 0) = 4096'
const synced = "7 fdatasync(10</h/weft.db-wal>) = 0"
const sent = '7 sendto(13<socket:[1]>, "{\\"request_id\\":1,\\"type\\":\\"done\\"}", 32, 0, NULL, 0) = 32'

test.each([
  ["synced and then sent", [written, synced, sent], []],
  ["sent before the sync", [written, sent, synced], ["done 1"]],
  ["never written", [synced, sent], ["done 1"]],
  ["synced before it was written", [synced, written, sent], ["done 1"]],
  ["another file's sync", [written, "7 fsync(9</h/weft.db>) = 0", sent], ["done 1"]],
  ["a sync that failed", [written, synced.replace("= 0", "= -1 EIO"), sent], ["done 1"]],
  ["a sync that was under way", [written, "7 fsync(10</h/weft.db-wal> <unfinished ...>", sent], ["done 1"]],
  [
    "a sync that ended in time",
    [written, "7 fsync(10</h/weft.db-wal> <unfinished ...>", "7 <... fsync resumed>) = 0", sent],
    [],
  ],
])("in a trace, an acknowledgement is held to its sync: %s", (_title, lines, early) => {
  expect(findEarly(lines).early).toEqual(early)
})

/** Reads a trace: which acknowledgements were sent before what they promise was in the log of the store and synced. */
function findEarly(lines: string[]) {
  const found = { early: [] as string[], started: 0, done: 0, answered: 0 }
  const durable = new Set<string>()
  const pending = new Set<string>()
  /** The threads within a sync of the log. */
  const syncing = new Set<string>()
  const settle = () => {
    for (const text of pending) durable.add(text)
    pending.clear()
  }
  const hold = (kind: "started" | "done" | "answered", promised: string, id: string) => {
    found[kind]++
    if (!durable.has(`${promised} ${id}.`)) found.early.push(`${kind} ${id}`)
  }
  for (const line of lines) {
    const thread = line.slice(0, line.indexOf(" "))
    if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) {
      for (const [text] of line.matchAll(/(question|answer) \d+\./g))
        if (!durable.has(text)) pending.add(text)
    }
    if (/f(data)?sync\(\d+<[^>]*-wal>/.test(line)) {
      if (line.endsWith("<unfinished ...>")) syncing.add(thread)
      else if (/= 0$/.test(line)) settle()
    }
    if (/<\.\.\. f(data)?sync resumed>/.test(line) && syncing.delete(thread) && /= 0$/.test(line)) settle()
    if (!/(sendto|sendmsg|writev?)\(\d+<socket/.test(line)) continue
    const text = line.replaceAll('\\"', '"')
    for (const [, id] of text.matchAll(/"request_id":(\d+)[^{}]*"type":"started"/g))
      hold("started", "question", id!)
    for (const [, id] of text.matchAll(/"request_id":(\d+)[^{}]*"type":"done"/g)) hold("done", "answer", id!)
    for (const [, id] of text.matchAll(/"id":(\d+),"result":\{/g)) hold("answered", "answer", id!)
  }
  return found
}
