/** The memory as a whole, where two things happen at once, or something is broken. */
import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { AppError } from "../../src/base/errors.ts"
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
import { deleteSession, findSession, touchSession } from "../../src/store/sessions.ts"
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
  const open = (wanted: Embedder) =>
    openMemoryService(
      { store, kernel, folder: join(home.path, "vectors"), log, now_ms: Date.now },
      toSettings(wanted),
    )
  let memory = await open(embedder ?? hash)
  return {
    ...{ store, lines, hash },
    /** Whether any file has it. The indexes have words in lower case, and of neighbours only what differs. */
    isInFiles: (words: string) =>
      readdirSync(home.path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .some(({ parentPath, name }) =>
          readFileSync(join(parentPath, name)).toString("latin1").toLowerCase().includes(words),
        ),
    get memory() {
      return memory
    },
    want: (other: Embedder) => memory.configure(toSettings(other)),
    async reopen(wanted: Embedder = embedder ?? hash) {
      await memory[Symbol.asyncDispose]()
      memory = await open(wanted)
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

/** One that has to be asked; `before` is awaited before each answer. */
function openRemote(id: string, before: (asked: number) => Promise<void> | void, dim = 8): Embedder {
  let asked = 0
  return {
    ...{ id, is_local: false },
    dim: () => dim,
    async embed(texts) {
      await before(++asked)
      const vectors = new Float32Array(texts.length * dim)
      for (const [i, text] of texts.entries()) vectors[i * dim + (text.length % dim)] = 1
      return vectors
    },
    embedNow: () => {
      throw new Error("it is not local")
    },
  }
}

type Opened = Awaited<ReturnType<typeof openWorld>>

const addNotes = async ({ memory }: Opened, count: number) => {
  const note = { reader, audience: { to: "sender" as const }, tags: [], importance: 0.5 }
  const texts = Array.from({ length: count }, (_, i) => `Note ${i}`)
  await Promise.all(texts.map((text) => memory.add({ ...note, text, source: "user" })))
  await memory.idle()
}
const setsOf = async ({ memory }: Opened) =>
  (await memory.stats()).vectors.map(({ embedder, state, missing }) => [embedder, state, missing])

test("who goes back to the embedder that serves gives up what the other one has not filled", async () => {
  await using world = await openWorld()
  await addNotes(world, 3)
  world.want(
    openRemote("away:1", () => {
      throw new Error("no answer")
    }),
  )
  await world.memory.idle()
  expect(await setsOf(world)).toEqual([
    [world.hash.id, "serving", 0],
    ["away:1", "filling", 3],
  ])
  world.want(world.hash)
  await world.memory.idle()
  expect(await setsOf(world)).toEqual([[world.hash.id, "serving", 0]])
  expect((await world.search("note")).searched.warnings).toEqual([])
})

test("a set that was given up in part and is wanted again is filled from its first row", async () => {
  await using world = await openWorld()
  await addNotes(world, 300)
  const last = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  world.want(
    openRemote("away:1", async (asked) => {
      if (asked < 3) return
      last.resolve()
      await goOn.promise
    }),
  )
  await last.promise
  // As far as giving it up had come.
  const sql = "DELETE FROM vector WHERE place >> 33 = 2 AND memory_id < 100"
  expect(await world.store.commit((db) => db.run(sql).changes)).toBe(99)
  goOn.resolve()
  await world.memory.idle()
  expect(await setsOf(world)).toEqual([["away:1", "serving", 0]])
})

test("a model that makes vectors of another length by now has a set of its own", async () => {
  await using world = await openWorld({ embedder: openRemote("away:1", () => undefined) })
  await addNotes(world, 3)
  await world.reopen(toLearn(openRemote("away:1", () => undefined, 4)))
  await world.search("note")
  await addNotes(world, 4)
  const { vectors } = await world.memory.stats()
  expect(vectors).toMatchObject([{ embedder: "away:1", dim: 4, state: "serving", missing: 0 }])
})

/** As one that says its length with its first answer only. */
function toLearn(embedder: Embedder): Embedder {
  let dim: number | undefined
  return {
    ...embedder,
    dim: () => dim,
    async embed(...asked) {
      const vectors = await embedder.embed(...asked)
      dim = embedder.dim()
      return vectors
    },
  }
}

test("a model reads the first message of all, too", async () => {
  const asked: string[] = []
  const config = { learn_from: "model" }
  await using world = await openWorld({
    config,
    async ask(_agent, { user }) {
      asked.push(user)
      return { text: "", made_by: "test" }
    },
  })
  await world.say("I fancy figs")
  await world.memory.idle()
  await world.reopen()
  await world.memory.idle()
  expect(asked).toHaveLength(1)
  expect(asked[0]).toContain("figs")
})

test("an index of words that a crash left half made is made to its end, and says so until then", async () => {
  await using world = await openWorld()
  await addNotes(world, 300)
  const killed = new Error("killed")
  const { commit } = world.store
  let commits = 0
  // As where the process ends after the second of its commits.
  world.store.commit = async (write) => {
    if (++commits > 2) throw killed
    return commit(write)
  }
  await expect(world.memory.reindex()).rejects.toBe(killed)
  world.store.commit = commit
  const { warnings, words_matched } = (await world.search("note")).searched
  expect([warnings.length, words_matched]).toEqual([1, 256])
  await world.reopen()
  await world.memory.idle()
  expect((await world.search("note")).searched).toMatchObject({ warnings: [], words_matched: 300 })
})

test("a search that cannot write finds what is there, and says what it does not know yet", async () => {
  await using world = await openWorld()
  await addNotes(world, 3)
  await world.say("My dog is called Albatross.")
  const { commit } = world.store
  world.store.commit = () => Promise.reject(new AppError("storage_failed", { reason: "SQLITE_FULL" }))
  const { hits, searched } = await world.search("note")
  world.store.commit = commit
  expect([hits.length, searched.pending]).toEqual([3, 1])
  expect(searched.warnings).toEqual(["what is new could not be indexed (storage_failed)"])
  expect((await world.search("note")).searched).toMatchObject({ warnings: [], pending: 0 })
})

test("a search does not wait for a service that makes vectors", async () => {
  await using world = await openWorld({ embedder: openRemote("away:1", () => undefined) })
  await addNotes(world, 1)
  const never = openRemote("away:1", (asked) => (asked === 1 ? new Promise(() => undefined) : undefined))
  world.want(never)
  await world.say("My dog is called Albatross.")
  const { hits } = await world.search("Albatross")
  expect(hits.map(({ kind }) => kind)).toContain("message")
})

test("no word of a forgotten message stays with the other facts that were said in it", async () => {
  await using world = await openWorld()
  const { memory } = world
  const forget = async (kind: "fact" | "message", text: string) => {
    const found = memory.list({ reader, kinds: [kind], limit: 10 }).filter((one) => one.text.includes(text))
    expect(found).toHaveLength(1)
    await memory.forget(reader, [found[0]!.id])
  }
  await world.say("My name is Ana Soto and my dog is called Zanzibarquelle.")
  await forget("fact", "Zanzibarquelle")
  expect((await world.search("Zanzibarquelle")).searched.words_matched).toBe(0)
  expect((await world.search("Ana Soto")).hits[0]!.text).toContain("Ana Soto")
  // Said twice: what is left of it is the second time.
  await world.say("Wunderblume is my word and my cat is called Mimi.")
  await world.say("My cat is called Mimi.")
  await world.search("anything")
  await forget("message", "Wunderblume")
  expect((await world.search("Wunderblume")).searched.words_matched).toBe(0)
})

test.each(["fact", "session"])(
  "no index has the words of a forgotten %s, also within its segments",
  async (what) => {
    await using world = await openWorld()
    const { memory, store } = world
    await world.say("My dog is called Zanzibarquelle.")
    for (let i = 0; i < 40; i++) await world.say(`Something else, number ${i}.`)
    await memory.idle()
    expect(world.isInFiles("anzibarquelle")).toBe(true)
    if (what === "session") {
      await store.commit((db) => deleteSession(db, findSession(db, toSessionKey(ann))!))
      await addNotes(world, 1)
    } else {
      const [fact] = memory.list({ reader, kinds: ["fact"], limit: 10 })
      await memory.forget(reader, [fact!.id])
    }
    expect(world.isInFiles("anzibarquelle")).toBe(false)
  },
)

test("the index of words has few parts when all is done, and where it is never quiet", async () => {
  await using world = await openWorld({ config: { episodic_window: 2 } })
  const count = () =>
    world.store.db.query("SELECT count(DISTINCT segid) FROM memory_fts_idx").values()[0]![0] as number
  const counts: number[] = []
  for (let i = 0; i < 120; i++) {
    await world.say(`My number ${i} is ${i * 17}.`)
    // As each turn does, before the background had its time.
    await world.search("number")
    counts.push(count())
  }
  // But for the moment in which summaries are made.
  expect(counts.filter((parts) => parts > 4).length).toBeLessThan(5)
  await world.memory.idle()
  expect(count()).toBeLessThan(4)
})

test("summaries have their vectors although nothing is said after them", async () => {
  await using world = await openWorld()
  for (let i = 0; i < 12; i++) await world.say(`My number ${i} is ${i * 17}.`)
  await world.memory.idle()
  expect(world.memory.list({ reader, kinds: ["summary"], limit: 9 }).length).toBeGreaterThan(0)
  expect((await world.memory.stats()).vectors.map(({ missing }) => missing)).toEqual([0])
})

test("an embedder that cannot be asked at all is told of, by each search and by the check", async () => {
  const down = () => {
    throw new AppError("provider_failed", { reason: "There is no key." })
  }
  await using world = await openWorld({ embedder: toLearn(openRemote("away:1", down)) })
  await addNotes(world, 1)
  const said = "away:1 cannot be used: The model provider failed. There is no key."
  expect((await world.search("note")).searched.warnings).toEqual([said])
  const checks = await world.memory.check()
  expect(checks.filter(({ ok }) => !ok)).toMatchObject([{ name: "embedder", said }])
  world.want(world.hash)
  await world.memory.idle()
  expect((await world.search("note")).searched.warnings).toEqual([])
})
