/** Puts the memory together: rows, words, vectors, facts and summaries, and what keeps them up to date. */
import { AppError } from "../base/errors.ts"
import type { Log } from "../base/log.ts"
import { toSender } from "../base/session-key.ts"
import type { VectorKernel } from "../kernel/vectors/kernel.ts"
import { getMemories } from "../store/memory.ts"
import { keepMatching, listMemories } from "../store/memory-search.ts"
import type { Store } from "../store/open.ts"
import { findSession } from "../store/sessions.ts"
import { addNote } from "./add.ts"
import { openBackground } from "./background.ts"
import { checkMemory } from "./check.ts"
import { openChores } from "./chores.ts"
import type { MemoryConfig } from "./config.ts"
import { assembleContext } from "./context/assemble.ts"
import { openTokenCounter } from "./context/tokens.ts"
import type { Embedder } from "./embed/embedder.ts"
import { forgetItems } from "./forget.ts"
import { hearMessage } from "./hear.ts"
import { openSetsInUse, type SetsInUse } from "./index/in-use.ts"
import { type Indexer, openIndexer } from "./index/indexer.ts"
import { reindexWords } from "./index/words.ts"
import { toItems } from "./items.ts"
import type { Memory, MemoryQuery } from "./memory.ts"
import { ownersFor, type Sharing } from "./owners.ts"
import { type SearchDeps, searchMemory } from "./search/search.ts"
import type { SoulFile } from "./soul.ts"
import { statsOf } from "./stats.ts"
import { exportRows } from "./transfer/export.ts"
import { importRows } from "./transfer/import.ts"
import { importMessages } from "./transfer/sessions.ts"
import { openUses, type Uses } from "./uses.ts"
import { openVectors } from "./vectors/open.ts"

export type Prompt = { system: string; user: string }

/** Asks an agent's model; undefined where it has none but "offline". Throws what the provider throws. */
export type Ask = (
  agent: string,
  prompt: Prompt,
  signal: AbortSignal,
) => Promise<{ text: string; made_by: string } | undefined>

export type MemorySettings = {
  config: MemoryConfig
  /** By agent: what it may share, and what it reads. */
  agents: Sharing["agents"]
  embedder: Embedder
  /** The embedder of a set that is there, by its id; undefined where the configuration does not know it any more. */
  findEmbedder(id: string): Embedder | undefined
  /** An agent's soul files, as they are now. */
  readSoul(agent: string): readonly SoulFile[]
  ask: Ask
}

export type ServiceOptions = {
  store: Store
  kernel: VectorKernel
  /** Where the files of the vectors are. */
  folder: string
  log: Log
  now_ms(): number
}

/** After a turn a person may read for so long before the next one. */
const quiet_ms = 400
const longest_ms = 30_000
/** A search waits no longer for what is not indexed yet; it says how much that is. */
const catch_up_ms = 150

export type MemoryService = Memory & {
  /** From now on, without a restart. */
  configure(settings: MemorySettings): void
  /** Until nothing is left to do in the background. */
  idle(): Promise<void>
}

export async function openMemoryService(
  options: ServiceOptions,
  first: MemorySettings,
): Promise<MemoryService> {
  const { store, log, now_ms } = options
  let settings = first
  const stop = new AbortController()
  const { signal } = stop
  const { index, tiers } = first.config
  const vectors = openVectors({ ...options, settings: { index, ...tiers } })
  const sets = openSetsInUse(vectors, first.embedder, (id) => settings.findEmbedder(id))
  // What answers at once needs no network to be ready: the first search must not find nothing.
  if (first.embedder.is_local) await sets.prepare(signal)
  const indexer = openIndexer({ store, vectors, log, now_ms, signal }, sets.list)
  const uses = openUses({ store, now_ms })
  const background = openBackground({
    chores: openChores({
      ...{ store, vectors, sets, indexer, uses, log, now_ms, signal },
      settings: () => settings,
    }),
    ...{ log, quiet_ms, longest_ms },
  })
  const sharing = (): Sharing => ({ senders: settings.config.senders, agents: settings.agents })
  const owners = ({ reader }: Pick<MemoryQuery, "reader">) => ownersFor(store.db, reader, sharing())
  const trouble = () => sets.trouble() ?? indexer.trouble()
  const deps: SearchDeps = {
    ...{ db: store.db, vectors, log, now_ms, owners },
    inUse: sets.list,
    unasked: sets.unasked,
    trouble,
    pending: indexer.pending,
    catchUp: () => catchUp({ indexer, sets, signal }),
  }
  const search: Memory["search"] = (query, stopped) =>
    searchMemory(deps, query, AbortSignal.any([signal, stopped]))
  // A turn does not wait for a commit: what was said last is among its recent turns, or found a moment later.
  const duringTurn: SearchDeps = {
    ...deps,
    async catchUp() {
      if (indexer.pending() > 2 * settings.config.episodic_window) await deps.catchUp()
    },
  }
  const searchForTurn: Memory["search"] = (query, stopped) =>
    searchMemory(duringTurn, query, AbortSignal.any([signal, stopped]))
  const of = { db: store.db, count: openTokenCounter(), now_ms, search: searchForTurn }
  const hear: Memory["hear"] = (db, session, message) => {
    const { semantic_enabled, learn_from } = settings.config
    if (semantic_enabled && learn_from !== "none") hearMessage(db, session, message)
  }
  background.wake()
  return {
    hear,
    assemble(request) {
      const { agent } = request.session
      const owner_ids = owners({ reader: { agent, sender: toSender(request.session) } })
      const soul = () => settings.readSoul(agent)
      return assembleContext({ ...of, config: settings.config, owner_ids, soul }, request)
    },
    later: () => background.wake(),
    used(ids) {
      uses.add(ids)
      background.wake()
    },
    search,
    list({ reader, kinds, session_key, tags, include_superseded, before, limit }) {
      const session = session_key === undefined ? undefined : findSession(store.db, session_key)
      if (session_key !== undefined && !session) return []
      const filter = {
        owner_ids: owners({ reader }),
        kinds,
        session_id: session?.id,
        tags,
        include_superseded,
      }
      return toItems(store.db, listMemories(store.db, filter, { before, limit }))
    },
    get: (reader, ids) => {
      const visible = keepMatching(store.db, ids, { owner_ids: owners({ reader }), include_superseded: true })
      return toItems(store.db, getMemories(store.db, visible))
    },
    async add(note) {
      const item = await addNote({ store, now_ms }, note, sharing())
      background.wake()
      return item
    },
    forget: (reader, ids) => forgetItems({ store, settle: vectors.settle }, owners({ reader }), ids),
    exportRows: (request) => exportRows({ db: store.db, vectors }, request),
    async importRows(batch) {
      const done = await importRows({ store, vectors }, batch)
      background.wake()
      return done
    },
    async importMessages(messages) {
      const done = await importMessages({ store, hear }, messages)
      background.wake()
      return done
    },
    stats: async (agent) =>
      statsOf(store.db, agent, { vectors, embedder: sets.wanted().id, pending: indexer.pending() }),
    check: () =>
      checkMemory({ db: store.db, vectors, trouble, pending: indexer.pending, unasked: sets.unasked }),
    async reindex() {
      await reindexWords(store)
      vectors.rebuild()
      await vectors.idle()
    },
    settle: () => vectors.settle(),
    configure(changed) {
      settings = changed
      sets.want(changed.embedder)
      background.wake()
    },
    async idle() {
      await background.idle()
      await vectors.idle()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await background[Symbol.asyncDispose]()
      await last(uses, log)
      await vectors[Symbol.asyncDispose]()
    },
  }
}

/** On a full disk, say, it is not counted: that is no reason not to end. */
async function last(uses: Uses, log: Log): Promise<void> {
  try {
    while (await uses.step());
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    log.warn("what the memory was used for lately is not counted", { code: thrown.code })
  }
}

type CatchUp = { indexer: Indexer; sets: SetsInUse; signal: AbortSignal }

/** Whoever makes vectors elsewhere may take minutes: then it goes on behind the search. Throws what the store throws. */
async function catchUp({ indexer, sets, signal }: CatchUp): Promise<void> {
  const until = performance.now() + catch_up_ms
  const isTime = () => performance.now() < until && !signal.aborted
  const work = async () => {
    while (isTime() && (await indexer.step()) > 0);
    for (const { set, embedder } of sets.list()) {
      // What was added or learnt a moment ago.
      while (embedder.is_local && isTime() && (await indexer.fill(set, embedder)) > 0);
    }
  }
  const { promise: is_late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, catch_up_ms)
  const working = work().finally(() => clearTimeout(timer))
  // What fails later than that fails again in the background, which says so.
  working.catch(() => undefined)
  await Promise.race([working, is_late])
}
