/** The labelled conversations of test/memory/conversations, held with a real store and a real memory, and what is recalled. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parser } from "../src/base/schema.ts"
import { toSessionKey } from "../src/base/session-key.ts"
import { loadVectorKernel } from "../src/kernel/vectors/load.ts"
import { memorySection } from "../src/memory/config.ts"
import { openHashEmbedder } from "../src/memory/embed/hash.ts"
import type { AssembledContext } from "../src/memory/memory.ts"
import { type MemoryService, openMemoryService } from "../src/memory/service.ts"
import { addMessage } from "../src/store/messages.ts"
import { openStore, type Store } from "../src/store/open.ts"
import { touchSession } from "../src/store/sessions.ts"

export type Script = {
  id: string
  plants: { turn: number; text: string }[]
  ask: { turn: number; text: string }
  expect: string[]
  stale?: string[]
  wrong?: string[]
}
type Exchange = { user: string; assistant: string }

export const languages = ["en", "es", "de", "zh"] as const
export type Language = (typeof languages)[number]

export type Conversation = {
  id: string
  /** Expected strings that are in nothing that the model receives. */
  missing: string[]
  /** By the expected string: the parts of the context that have it. */
  found: Record<string, string[]>
  tokens: number
  /** Replaced values that are given without what replaced them. */
  stale: string[]
  /** Replaced values among the facts, beside what replaced them: the model has to tell which was said later. */
  outdated: string[]
  /** Somebody else's values among the facts about the user. */
  wrong: string[]
  /** Of the assembly. */
  took_ms: number
  context: AssembledContext
}

const folder = join(import.meta.dir, "../test/memory/conversations")
const linesOf = <T>(name: string): T[] =>
  readFileSync(join(folder, `${name}.jsonl`), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T)

export const fillersOf = (language: Language) => linesOf<Exchange>(`${language}.filler`)
const scriptsOf = (language: Language, set: "open" | "held") => linesOf<Script>(`${language}.${set}`)

const noted: Record<Language, string> = {
  en: "All right.",
  es: "De acuerdo.",
  de: "Alles klar.",
  zh: "好的。",
}
const turns_before = 49
/** Between two turns; the whole takes two days. */
const turn_ms = 3_600_000
const began_ms = Date.UTC(2026, 2, 2, 8)

/** The turns before the question: plants at theirs, the others drawn by the script's id, none twice. */
export function exchangesOf({ id, plants }: Script, language: Language): Exchange[] {
  const fillers = shuffled(fillersOf(language), id)
  const planted = new Map(plants.map(({ turn, text }) => [turn, text]))
  return Array.from({ length: turns_before }, (_, i) => {
    const user = planted.get(i + 1)
    return user === undefined ? fillers.pop()! : { user, assistant: noted[language] }
  })
}

/** Fisher and Yates, with xorshift32 begun by FNV-1a of the seed. */
function shuffled<T>(items: T[], seed: string): T[] {
  let state = 0x811c9dc5
  for (const byte of new TextEncoder().encode(seed)) state = Math.imul(state ^ byte, 0x01000193)
  const next = (below: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = next(i + 1)
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}

export type MeasureOptions = {
  languages?: readonly Language[]
  set: "open" | "held"
  /** Only so many of each language, or only these. */
  limit?: number
  only?: readonly string[]
  /** Of the [memory] section. */
  config?: object
  /** An empty folder for homes. */
  folder: string
}

export async function measureConversations(options: MeasureOptions): Promise<Conversation[]> {
  const { languages: wanted = languages, set, limit, only } = options
  const done: Conversation[] = []
  for (const language of wanted) {
    for (const script of scriptsOf(language, set).slice(0, limit))
      if (!only || only.includes(script.id)) done.push(await hold(script, language, options))
  }
  return done
}

export type Home = AsyncDisposable & { store: Store; memory: MemoryService; clock: { now_ms: number } }

/** A real store and memory, offline, with a clock that stands still. */
export async function openHome(path: string, config: object): Promise<Home> {
  const store = openStore(join(path, `weft.db`))
  const clock = { now_ms: began_ms }
  const kernel = loadVectorKernel(undefined)
  const silent = () => undefined
  const log = { error: console.error, warn: silent, info: silent, debug: silent }
  const embedder = openHashEmbedder(kernel)
  const memory = await openMemoryService(
    { store, kernel, folder: join(path, "vectors"), log, now_ms: () => clock.now_ms },
    {
      config: parser(memorySection.schema)(config),
      agents: new Map(),
      embedder,
      findEmbedder: (id) => (id === embedder.id ? embedder : undefined),
      readSoul: () => [],
      ask: async () => undefined,
    },
  )
  return {
    ...{ store, memory, clock },
    async [Symbol.asyncDispose]() {
      await memory[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

async function hold(script: Script, language: Language, options: MeasureOptions): Promise<Conversation> {
  const path = join(options.folder, script.id)
  await Bun.write(join(path, ".keep"), "")
  const config = options.config ?? {}
  {
    await using home = await openHome(path, config)
    for (const exchange of exchangesOf(script, language)) {
      home.clock.now_ms += turn_ms
      await say(home, exchange)
      await home.memory.idle()
    }
  }
  // The process is another one by now.
  await using home = await openHome(path, config)
  home.clock.now_ms += (turns_before + 1) * turn_ms
  const asked = await say(home, { user: script.ask.text })
  const began = performance.now()
  const signal = new AbortController().signal
  const context = await home.memory.assemble({ ...asked, signal })
  return judge(script, context, performance.now() - began)
}

const parts = { agent: "default", channel: "ws", account: "default", peer: "main" }
const key = toSessionKey(parts)

/** What a turn writes: the message of the user, the answer, or both. Answers what a context is asked for with. */
export async function say(
  { store, memory, clock }: Home,
  { user, assistant }: { user?: string; assistant?: string },
) {
  const created_ms = clock.now_ms
  const said = { turn_id: `t${created_ms}`, created_ms }
  const message = { role: "user" as const, parts: [{ type: "text" as const, text: user ?? "" }] }
  const asked = await store.commit((db) => {
    const session = touchSession(db, key, parts, created_ms)
    const id = user === undefined ? 0 : addMessage(db, session.id, { ...said, ...message })
    if (id > 0) memory.hear(db, session, { id, parts: message.parts, created_ms })
    if (assistant !== undefined)
      addMessage(db, session.id, { ...said, role: "assistant", parts: [{ type: "text", text: assistant }] })
    return { session, message: { ...message, id } }
  })
  if (assistant !== undefined) memory.later(asked.session.id)
  return asked
}

const holds = (text: string, value: string) => text.toLowerCase().includes(value.toLowerCase())

function judge(script: Script, context: AssembledContext, took_ms: number): Conversation {
  const said = context.messages.flatMap(({ parts }) =>
    parts.map((part) => ("text" in part ? part.text : "content" in part ? part.content : "")),
  )
  const all = [context.system, ...said].join("\n")
  const pieces = context.pieces.filter(({ included }) => included)
  const facts = pieces
    .filter(({ part, text }) => part === "facts" && !text.startsWith("Unclear"))
    .map(({ text }) => text)
  const { id, expect, stale = [], wrong = [] } = script
  const missing = expect.filter((value) => !all.includes(value))
  const found = expect.map((value) => [
    value,
    [...new Set(pieces.filter(({ text }) => text.includes(value)).map(({ part }) => part))],
  ])
  return {
    ...{ id, missing, tokens: context.tokens, took_ms, context },
    found: Object.fromEntries(found),
    stale: missing.length > 0 ? stale.filter((value) => holds(all, value)) : [],
    outdated: missing.length > 0 ? [] : stale.filter((value) => facts.some((line) => holds(line, value))),
    wrong: wrong.filter((value) => facts.some((line) => line.startsWith("user's") && holds(line, value))),
  }
}
