/** What the memory needs of the configuration, the providers and the agents. */
import { join } from "node:path"
import { toTrace } from "../base/errors.ts"
import type { Log } from "../base/log.ts"
import { once } from "../base/once.ts"
import type { MemoryConfig } from "../memory/config.ts"
import type { Embedder } from "../memory/embed/embedder.ts"
import type { MemoryEngine } from "../memory/open.ts"
import type { MemorySettings } from "../memory/service.ts"
import { openSouls } from "../memory/soul.ts"
import { openEmbeddings } from "../providers/embeddings.ts"
import type { Providers } from "../providers/providers.ts"
import type { Store } from "../store/open.ts"
import { addUsage, type UsageRecord } from "../store/usage.ts"
import type { Agents } from "./agents.ts"
import { askModel } from "./ask.ts"
import type { AgentConfig } from "./config.ts"

export type MemoryNeeds = {
  memory: MemoryConfig
  /** The one of [agent], and those of [[agents]]. */
  configured: readonly AgentConfig[]
  agents: Agents
  models: Providers
  home: string
  store: Store
  log: Log
  now_ms(): number
}

export function toMemorySettings(needs: MemoryNeeds, engine: MemoryEngine): MemorySettings {
  const { memory, configured, agents, models, home, store, log, now_ms } = needs
  const hash = engine.openHashEmbedder(engine.kernel)
  const record = (usage: UsageRecord) =>
    store
      .commit((db) => addUsage(db, usage))
      .catch((thrown) => log.error("what the memory cost could not be written", { cause: toTrace(thrown) }))
  const embedder = memory.embedder === "hash" ? hash : toRemote(memory.embedder, needs, record, engine)
  const shared = configured.map(
    ({ id, memory: { share = [], read = [] } = {} }) => [id, { share, read }] as const,
  )
  return {
    config: memory,
    agents: new Map(shared),
    embedder,
    findEmbedder: (id) => [hash, embedder].find((one) => one.id === id),
    readSoul: openSouls(join(home, "agents")),
    async ask(id, prompt, signal) {
      const agent = agents.get(id)
      if (!agent) return undefined
      const asked = await askModel(models, agent, prompt, { signal, now_ms })
      if (!asked) return undefined
      await record(asked.usage)
      return { text: asked.text, made_by: asked.made_by }
    },
  }
}

type Remote = Exclude<MemoryConfig["embedder"], "hash">

function toRemote(
  { provider, model, dimensions, batch_max }: Remote,
  { models, now_ms }: MemoryNeeds,
  record: (usage: UsageRecord) => void,
  { openRemoteEmbedder }: MemoryEngine,
): Embedder {
  const priced = (input_tokens: number) =>
    models.cost({ provider, model }, { input_tokens, output_tokens: 0, cached_tokens: 0 })
  // Where the provider lacks its key the memory goes on with words, and says so: it is asked at each use, not here.
  const open = once(() =>
    openEmbeddings({
      ...{ connection: models.connect(provider), model, dimensions, batch_max, cost: priced },
      onUsage: (usage) =>
        record({
          ...usage,
          ...{ turn_id: "", session_key: null, agent: "", output_tokens: 0, cached_tokens: 0 },
          created_ms: now_ms(),
        }),
    }),
  )
  return openRemoteEmbedder({
    ...{ provider, model, dimensions },
    embed: async (texts, purpose, signal) => await open()(texts, purpose, signal),
  })
}
