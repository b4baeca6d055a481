/** The memory as a whole, where two things happen at once, or something is broken. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openLog } from "../../src/base/log.ts"
import { parser } from "../../src/base/schema.ts"
import { toSessionKey } from "../../src/base/session-key.ts"
import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { memorySection } from "../../src/memory/config.ts"
import type { Embedder } from "../../src/memory/embed/embedder.ts"
import { openHashEmbedder } from "../../src/memory/embed/hash.ts"
import { type MemorySettings, openMemoryService } from "../../src/memory/service.ts"
import { addMessage } from "../../src/store/messages.ts"
import { openStore } from "../../src/store/open.ts"
import { touchSession } from "../../src/store/sessions.ts"
import { temporaryFolder } from "../harness.ts"

const ann = { agent: "default", channel: "ws", account: "default", peer: "ann" }
const reader = { agent: "default", sender: "ws:default:ann" }

type Options = { config?: object; embedder?: Embedder; ask?: MemorySettings["ask"] }

async function openWorld({ config = {}, embedder, ask = async () => undefined }: Options = {}) {
  const home = await temporaryFolder()
  const store = openStore(join(home.path, "weft.db"))
  const kernel = loadVectorKernel()
  const hash = openHashEmbedder(kernel)
  const lines: string[] = []
  const log = openLog("warn", (line) => lines.push(line))
  const toSettings = (wanted: Embedder): MemorySettings => ({
    ...{ config: parser(memorySection.schema)(config), agents: new Map(), embedder: wanted, ask },
    findEmbedder: (id) => [hash, wanted].find((one) => one.id === id),
    readSoul: () => [],
  })
  const open = () =>
    openMemoryService(
      { store, kernel, folder: join(home.path, "vectors"), log, now_ms: Date.now },
      toSettings(embedder ?? hash),
    )
  let memory = await open()
  return {
    ...{ store, lines, hash },
    get memory() {
      return memory
    },
    want: (other: Embedder) => memory.configure(toSettings(other)),
    async reopen() {
      await memory[Symbol.asyncDispose]()
      memory = await open()
    },
    /** As a turn begins: the message is written, and heard. */
    say: (text: string) =>
      store.commit((db) => {
        const session = touchSession(db, toSessionKey(ann), ann, 1)
        const parts = [{ type: "text" as const, text }]
        const id = addMessage(db, session.id, { turn_id: "t", role: "user", parts, created_ms: Date.now() })
        memory.hear(db, session, { id, parts, created_ms: Date.now() })
        return id
      }),
    search: (text: string) =>
      memory.search({ text, reader, limit: 20, include_superseded: true }, new AbortController().signal),
    async [Symbol.asyncDispose]() {
      await memory[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

test("what is forgotten while it is being indexed is not indexed", async () => {
  await using world = await openWorld()
  const { memory, store } = world
  const long = Array.from({ length: 60 }, (_, i) => `Line ${i} of what I have to say.`).join("\n")
  await world.say(`My name is Zanzibarquelle. \n${long}`)
  const facts = memory.list({ reader, kinds: ["fact"], limit: 10 })
  expect(facts).toHaveLength(1)
  // Both are queued before either is committed, the forgetting first.
  const forgotten = memory.forget(
    reader,
    facts.map(({ id }) => id),
  )
  const found = world.search("Zanzibarquelle")
  await forgotten
  await found
  await memory.idle()
  expect((await world.search("Zanzibarquelle")).searched.words_matched).toBe(0)
  const texts = store.db.query("SELECT text FROM memory").values().flat().join()
  expect(texts).not.toContain("Zanzibarquelle")
})
