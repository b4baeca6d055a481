import { join } from "node:path"
import { parser } from "../../src/base/schema.ts"
import { toSessionKey } from "../../src/base/session-key.ts"
import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { memorySection } from "../../src/memory/config.ts"
import { openHashEmbedder } from "../../src/memory/embed/hash.ts"
import { openMemoryService } from "../../src/memory/service.ts"
import { addMessage } from "../../src/store/messages.ts"
import { openStore, type Store } from "../../src/store/open.ts"
import { touchSession } from "../../src/store/sessions.ts"
import { fillerMessages } from "../data/retrieval/filler.ts"
import { loadRetrieval } from "../data/retrieval/retrieval.ts"
import { openTurns } from "../load/turns.ts"
import { compileLoadClient, type Load, load } from "../load/ws-load.ts"
import { type Bench, cpuMs, type Figure, interleave, median, quantile } from "../measure.ts"
import { makeHome, startGateway, startProvider } from "../servers.ts"

/** What a turn is given, put together in a session of five thousand messages. */
export const memoryContext: Bench = {
  name: "memory_context",
  async measure({ quick }) {
    using home = makeHome()
    await using store = openStore(join(home.path, "weft.db"))
    await using memory = await openMemory(store, join(home.path, "vectors"))
    const { messages, questions } = loadRetrieval()
    const session = await store.commit((db) => {
      const session = touchSession(db, toSessionKey(parts), parts, messages[0]!.created_ms)
      for (const [i, { id, text, created_ms }] of messages.entries()) {
        const role = i % 2 === 0 ? ("user" as const) : ("assistant" as const)
        const said = [{ type: "text" as const, text }]
        const number = addMessage(db, session.id, { turn_id: id, role, parts: said, created_ms })
        if (role === "user") memory.hear(db, session, { id: number, parts: said, created_ms })
      }
      return session
    })
    memory.later(session.id)
    await memory.idle()
    const { signal } = new AbortController()
    const [times, busy, tokens]: [number[], number[], number[]] = [[], [], []]
    const asked = quick ? questions.slice(0, 60) : questions
    for (const [i, { text }] of [...asked.slice(0, 20), ...asked].entries()) {
      const message = { id: undefined, role: "user" as const, parts: [{ type: "text" as const, text }] }
      const [begun, busy_before] = [performance.now(), cpuMs()]
      const context = await memory.assemble({ session, message, signal })
      // The first ones are for the compiler of JavaScript.
      if (i < 20) continue
      times.push(performance.now() - begun)
      busy.push(cpuMs() - busy_before)
      tokens.push(context.tokens)
    }
    const title = `a turn's context in a session of ${messages.length.toLocaleString("en")} messages, p50`
    const note = `p99 ${quantile(times, 0.99).toFixed(1)} ms; ${median(busy).toFixed(1)} ms of the processor; ${median(tokens)} tokens; ${asked.length} questions`
    return [{ name: "memory_context", title, unit: "ms", value: median(times), note }]
  },
}

const parts = { agent: "default", channel: "ws", account: "default", peer: "main" }

function openMemory(store: Store, folder: string) {
  const kernel = loadVectorKernel()
  const embedder = openHashEmbedder(kernel)
  const silent = () => undefined
  const log = { error: console.error, warn: console.error, info: silent, debug: silent }
  return openMemoryService(
    { store, kernel, folder, log, now_ms: Date.now },
    {
      config: parser(memorySection.schema)({}),
      agents: new Map(),
      embedder,
      findEmbedder: (id) => (id === embedder.id ? embedder : undefined),
      readSoul: () => [],
      ask: async () => undefined,
    },
  )
}

const off = `
[memory]
semantic_enabled = false
learn_from = "none"
summaries = "none"
`

/** What a turn pays for being remembered and for what is remembered: the same turns with the memory and without. */
export const memoryTurns: Bench = {
  name: "memory_turn",
  async measure({ quick }) {
    await compileLoadClient()
    await using provider = await startProvider()
    using home = makeHome()
    await using gateway = await startGateway(home, provider.url)
    using bare_home = makeHome()
    await using bare = await startGateway(bare_home, provider.url, "", off)
    return [await latency(gateway, bare, provider.url, quick), await rate(gateway, bare, quick)]
  },
}

type Gateway = Awaited<ReturnType<typeof startGateway>>

/** Sentences of which no two are the same, so that every turn has something to look for and to learn from. */
async function latency(gateway: Gateway, bare: Gateway, url: string, quick: boolean): Promise<Figure> {
  const count = quick ? 50 : 150
  const rounds = quick ? 2 : 8
  const texts = [...fillerMessages(2 * count * (rounds + 1))].map(({ text }) => text)
  const say = () => texts.pop() ?? "hello"
  using turns = await openTurns(gateway, url, say)
  using others = await openTurns(bare, url, say)
  await turns.throughGateway(count)
  await others.throughGateway(count)
  const runs = await interleave(
    rounds,
    () => turns.throughGateway(count),
    () => others.throughGateway(count),
  )
  const [value, reference] = runs.map((lists) => median(lists.flat())) as [number, number]
  return {
    name: "memory_turn",
    title: "a durable turn of a growing session with the memory, against one without, p50",
    unit: "ms",
    value,
    reference,
    ratio: value / reference,
    note: "the provider's own time is in both",
  }
}

async function rate(gateway: Gateway, bare: Gateway, quick: boolean): Promise<Figure> {
  const request =
    '{"jsonrpc":"2.0","id":@,"method":"chat.send","params":{"content":"my sister lives in Lisbon and her son is called Tom","peer":"bench-#"}}'
  const shape = { sockets: 20, in_flight: 1, seconds: quick ? 2 : 5, request }
  const runs = await interleave(
    quick ? 1 : 3,
    () => load(gateway, shape),
    () => load(bare, shape),
  )
  const perSecond = (loads: Load[]) => median(loads.map(({ per_second }) => per_second))
  const [value, reference] = runs.map(perSecond) as [number, number]
  const title = "durable turns with the memory, 20 sessions in parallel, against turns without"
  return { name: "memory_turns", title, unit: "1/s", value, reference, ratio: value / reference }
}
