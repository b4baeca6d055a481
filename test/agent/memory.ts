/** What a turn needs of the memory, over a store and without an index: nothing is found, facts are not learnt. */
import type { MemoryDeps } from "../../src/agent/memory.ts"
import { parser } from "../../src/base/schema.ts"
import { memorySection } from "../../src/memory/config.ts"
import { assembleContext, type ContextDeps } from "../../src/memory/context/assemble.ts"
import { openTokenCounter } from "../../src/memory/context/tokens.ts"
import type { Memory, MemoryAnswer } from "../../src/memory/memory.ts"
import type { Store } from "../../src/store/open.ts"

const nothing: MemoryAnswer = {
  hits: [],
  searched: { rows: 0, words_matched: 0, vectors: [], pending: 0, warnings: [], took_ms: 0 },
}

export type LightMemory = {
  deps: Omit<MemoryDeps, "store">
  /** "heard ID" and "later ID", in their order. */
  told: string[]
}

export function lightMemory(
  store: Store,
  config: object = {},
  more: Partial<Pick<ContextDeps, "search" | "soul">> = {},
): LightMemory {
  const told: string[] = []
  const deps: ContextDeps = {
    ...{ db: store.db, config: parser(memorySection.schema)(config), owner_ids: [] },
    ...{ count: openTokenCounter(), now_ms: () => 0 },
    ...{ soul: () => [], search: async () => nothing, ...more },
  }
  const memory: Pick<Memory, "hear" | "assemble" | "later" | "used"> = {
    hear: (_db, _session, { id }) => void told.push(`heard ${id}`),
    assemble: (request) => assembleContext(deps, request),
    used: (ids) => ids.length > 0 && void told.push(`used ${ids}`),
    later: (session_id) => void told.push(`later ${session_id}`),
  }
  // What is not there is no memory's: a test that calls it fails.
  return { told, deps: { memory: { ready: async () => memory as Memory }, senders: () => "apart" } }
}
