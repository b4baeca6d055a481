/** Learns in the background, by the agent's model, from what patterns have read before. */
import { toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import { listHeard } from "../../store/facts.ts"
import { findProgress, setProgress } from "../../store/memory-index.ts"
import type { Store } from "../../store/open.ts"
import { newestMessage, sessionById } from "../../store/summaries.ts"
import type { Chore } from "../background.ts"
import { takeSessionOwner } from "../owners.ts"
import { learnFacts } from "./learn.ts"
import { askForFacts, type Prompt } from "./model.ts"

export type LearnerDeps = {
  store: Store
  log: Log
  now_ms(): number
  signal: AbortSignal
  settings(): {
    config: { semantic_enabled: boolean; learn_from: "patterns" | "model" | "none" }
    /** Undefined where the agent has no model but "offline". */
    ask(agent: string, prompt: Prompt, signal: AbortSignal): Promise<{ text: string } | undefined>
  }
}

/** How far it has come. */
const progress_name = "facts_by_model"
/** Messages of one session that go into one request. */
const messages_max = 8
/** Messages at which a model fails so often are left to the patterns. */
const tries_max = 3
const rest_ms = 30_000
const ask_ms_max = 120_000

/** One chore: a step is one request about the next messages of a session. What was said before it was first turned on is not read. */
export function openLearner(deps: LearnerDeps): Chore[] {
  const { store, settings, now_ms } = deps
  // A first message of all is written before this is first asked for a step.
  const opened_at = newestMessage(store.db)
  const was_on = isOn(settings())
  let tries = 0
  let not_before_ms = 0
  return [
    {
      name: "facts",
      async step() {
        if (!isOn(settings())) return false
        const after = findProgress(store.db, progress_name)
        if (after === undefined) return begin(store, was_on ? opened_at : newestMessage(store.db))
        if (now_ms() < not_before_ms) return false
        const heard = listHeard(store.db, after, messages_max)
        if (heard.upto === after) return false
        const is_done = await learn(deps, heard, tries + 1 >= tries_max)
        tries = is_done ? 0 : tries + 1
        not_before_ms = is_done ? 0 : now_ms() + rest_ms
        return is_done
      },
    },
  ]
}

const isOn = ({ config }: ReturnType<LearnerDeps["settings"]>): boolean =>
  config.semantic_enabled && config.learn_from === "model"

async function begin(store: Store, message_id: number): Promise<boolean> {
  await store.commit((db) => setProgress(db, progress_name, message_id))
  return true
}

/** Whether these messages are done with. */
async function learn(
  { store, log, signal, settings, now_ms }: LearnerDeps,
  { session_id, messages, upto }: ReturnType<typeof listHeard>,
  is_last_try: boolean,
): Promise<boolean> {
  const session = session_id === undefined ? undefined : sessionById(store.db, session_id)
  const said = messages.map(({ text, created_ms }) => ({ text, said_ms: created_ms }))
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(ask_ms_max)])
    const ask = async (prompt: Prompt) =>
      (session && (await settings().ask(session.agent, prompt, bounded))?.text) ?? ""
    const found = session ? await askForFacts(said, { ask, signal: bounded }) : []
    await store.commit((db) => {
      setProgress(db, progress_name, upto)
      for (const [i, facts] of found.entries()) {
        const { id, text } = messages[i]!
        // While a model was asked, somebody may have forgotten or deleted.
        const now = listHeard(db, id - 1, 1).messages[0]
        if (!session || facts.length === 0 || now?.id !== id || now.text !== text) continue
        const told = { owner_id: takeSessionOwner(db, session), session_id: session.id, message_id: id }
        learnFacts(db, { ...told, found: facts, source: "model", now_ms: now_ms() })
      }
    })
    return true
  } catch (thrown) {
    signal.throwIfAborted()
    log.warn("a model could not look for facts", { agent: session?.agent, cause: toTrace(thrown) })
    if (is_last_try) await store.commit((db) => setProgress(db, progress_name, upto))
    return is_last_try
  }
}
