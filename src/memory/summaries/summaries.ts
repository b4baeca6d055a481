/** Makes summaries of older stretches in the background, ahead of need; never within a turn. */
import { toTrace } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import { addMemory } from "../../store/memory.ts"
import type { Store } from "../../store/open.ts"
import type { Session } from "../../store/sessions.ts"
import {
  addSummary,
  newestMessage,
  readStretch,
  readSummaries,
  type StretchMessage,
  type SummaryRange,
  sessionById,
  sessionsSince,
} from "../../store/summaries.ts"
import type { Chore } from "../background.ts"
import type { MemoryConfig } from "../config.ts"
import { toDay } from "../context/fence.ts"
import { type CountTokens, openTokenCounter } from "../context/tokens.ts"
import { hashText } from "../index/hash.ts"
import { takeSessionOwner } from "../owners.ts"
import { toWords } from "../text/fold.ts"
import { dueJoin, dueStretch, isSummarising, joinedTokens, type Stretch, stretchTokens } from "./due.ts"
import { joinPrompt, type Prompt, readAnswer, stretchPrompt } from "./prompt.ts"
import { pickLines, pickSentences } from "./sentences.ts"

export type SummariesDeps = {
  store: Store
  log: Log
  now_ms(): number
  signal: AbortSignal
  settings(): {
    config: MemoryConfig
    /** Undefined where the agent has no model but "offline". */
    ask(
      agent: string,
      prompt: Prompt,
      signal: AbortSignal,
    ): Promise<{ text: string; made_by: string } | undefined>
  }
}

export const by_sentences = "sentences"

/** A model that fails so often for one session is not asked again for this stretch: sentences are picked. */
const tries_max = 3
const rest_ms = 30_000
/** Nobody waits for it, but a model that never answers would hold up all others. */
const ask_ms_max = 120_000
/** New messages that one step looks through. */
const scanned_max = 5_000

type Waiting = { tries: number; not_before_ms: number }
type Written = { text: string; made_by: string }

/**
 * One chore: a step makes one summary, or finds that none is due in the sessions that have had messages since the start.
 * What was due before has to wait for the session's next turn, and does no harm until then.
 */
export function openSummaries(deps: SummariesDeps): Chore[] {
  const { store, settings } = deps
  const count = openTokenCounter()
  const waiting = new Map<number, Waiting>()
  let seen = newestMessage(store.db)
  let left: number[] = []

  const due = (id: number): (() => Promise<void>) | undefined => {
    const { config } = settings()
    const session = sessionById(store.db, id)
    if (!session || !isSummarising(config)) return undefined
    const stretch = dueStretch(store.db, session, config.episodic_window)
    if (stretch) return () => summarise({ ...deps, count, waiting }, session, stretch)
    const ranges = dueJoin(store.db, session, config.context.summary_tokens)
    return ranges.length > 1 ? () => join({ ...deps, count, waiting }, session, ranges) : undefined
  }
  return [
    {
      name: "summaries",
      async step() {
        if (!isSummarising(settings().config)) return false
        if (left.length === 0) {
          const upto = Math.min(newestMessage(store.db), seen + scanned_max)
          const rested = [...waiting].filter(([, { not_before_ms }]) => not_before_ms <= deps.now_ms())
          left = [...new Set([...sessionsSince(store.db, seen, upto), ...rested.map(([id]) => id)])]
          seen = upto
        }
        const id = left[0]
        if (id === undefined) return seen < newestMessage(store.db)
        const is_resting = (waiting.get(id)?.not_before_ms ?? 0) > deps.now_ms()
        const run = is_resting ? undefined : due(id)
        if (run) await run()
        else {
          left.shift()
          if (!is_resting) waiting.delete(id)
        }
        return true
      },
    },
  ]
}

type Making = SummariesDeps & { count: CountTokens; waiting: Map<number, Waiting> }

async function summarise(making: Making, session: Session, { first, last }: Stretch): Promise<void> {
  const { store, settings, count } = making
  const messages = readStretch(store.db, session.id, { first, last })
  const tokens_max = stretchTokens(settings().config.context.summary_tokens)
  const written = await write(making, session, {
    prompt: () => stretchPrompt(messages, tokens_max),
    pick: () => pickSentences(messages, { tokens_max, count }) || "(Nothing that matters later.)",
    tokens_max,
  })
  if (!written) return
  const before = fingerprint(messages)
  await store.commit((db) => {
    // While a model was asked, somebody may have forgotten, reset or deleted.
    const now = sessionById(db, session.id)
    if (!now || now.context_after >= first) return
    if (fingerprint(readStretch(db, session.id, { first, last })) !== before) return
    const created_ms = messages.at(-1)?.created_ms ?? making.now_ms()
    addRow(db, now, { ...written, first, last, created_ms, tokens: count(written.text) })
  })
}

async function join(making: Making, session: Session, ranges: readonly SummaryRange[]): Promise<void> {
  const { store, settings, count } = making
  const rows = readSummaries(store.db, ranges)
  const tokens_max = joinedTokens(settings().config.context.summary_tokens)
  const lines = rows.flatMap(({ text, created_ms }) =>
    text.split("\n").map((line) => (line.startsWith("[") ? line : `[${toDay(created_ms)}] ${line}`)),
  )
  const written = await write(making, session, {
    prompt: () => joinPrompt(rows, tokens_max),
    pick: () => pickLines(lines, { tokens_max, count }) || "(Nothing that matters later.)",
    tokens_max,
  })
  if (!written) return
  const [first, last] = [ranges[0]!.first_message, ranges.at(-1)!.last_message]
  await store.commit((db) => {
    const now = sessionById(db, session.id)
    if (!now || now.context_after >= first || readSummaries(db, ranges).length !== rows.length) return
    const created_ms = rows.at(-1)?.created_ms ?? making.now_ms()
    addRow(db, now, { ...written, first, last, created_ms, tokens: count(written.text) })
  })
}

type Write = { prompt(): Prompt; pick(): string; tokens_max: number }

/** By the agent's model, else by sentences; undefined where the model is to be asked again later. */
async function write(
  making: Making,
  session: Session,
  { prompt, pick, tokens_max }: Write,
): Promise<Written | undefined> {
  const { settings, signal, waiting, log, now_ms, count } = making
  const { config, ask } = settings()
  const tries = waiting.get(session.id)?.tries ?? 0
  const picked = () => {
    waiting.delete(session.id)
    return { text: pick(), made_by: by_sentences }
  }
  if (config.summaries !== "model" || tries >= tries_max) return picked()
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(ask_ms_max)])
    const answer = await ask(session.agent, prompt(), bounded)
    if (!answer) return picked()
    // A model that says half as much again is forgiven.
    const text = readAnswer(answer.text, Math.floor(tokens_max * 1.5), count)
    if (text === "") throw new Error("the model wrote no summary")
    waiting.delete(session.id)
    return { text, made_by: answer.made_by }
  } catch (thrown) {
    signal.throwIfAborted()
    waiting.set(session.id, { tries: tries + 1, not_before_ms: now_ms() + rest_ms })
    log.warn("a model could not summarise what was said before", {
      ...{ agent: session.agent, tries: tries + 1, cause: toTrace(thrown) },
    })
    return undefined
  }
}

const fingerprint = (messages: readonly StretchMessage[]) =>
  Bun.hash(JSON.stringify(messages.map(({ id, parts }) => [id, parts])))

type NewRow = Written & { first: number; last: number; created_ms: number; tokens: number }

function addRow(db: Store["db"], session: Session, row: NewRow): void {
  const { text, made_by, first, last, tokens, created_ms } = row
  const memory_id = addMemory(db, {
    ...{ owner_id: takeSessionOwner(db, session), kind: "summary", session_id: session.id, message_id: null },
    ...{ text, hash: hashText(text), importance: 0.5, created_ms, tags: [], words: toWords(text) },
    source: made_by === by_sentences ? "conversation" : "model",
  })
  addSummary(db, {
    ...{ memory_id, session_id: session.id, first_message: first, last_message: last, tokens, made_by },
  })
}
