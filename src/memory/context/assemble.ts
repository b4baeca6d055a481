/** Puts together what a model is given of the memory for a turn, each part within its budget, and says why. */

import { AppError } from "../../base/errors.ts"
import { found_metadata, textOf } from "../../base/parts.ts"
import { toSender } from "../../base/session-key.ts"
import { listKnownFacts } from "../../store/known-facts.ts"
import type { Store } from "../../store/open.ts"
import { currentSummaries, readSummaries, type SummaryRow } from "../../store/summaries.ts"
import type { MemoryConfig } from "../config.ts"
import type {
  AssembledContext,
  ContextPiece,
  ContextRequest,
  MemoryAnswer,
  MemoryQuery,
  Searched,
} from "../memory.ts"
import type { SoulFile } from "../soul.ts"
import { isSummarising } from "../summaries/due.ts"
import { fenceEarlier, fenceFound, quotedLines, toDay } from "./fence.ts"
import { toAsked, toWordSet } from "./gate.ts"
import { knownFor } from "./known.ts"
import { recalledFrom } from "./recalled.ts"
import { type Fitted, fitTurns, type Recent, readRecent } from "./recent.ts"
import { type CountTokens, tokensOf } from "./tokens.ts"

export type ContextDeps = {
  db: Store["db"]
  config: MemoryConfig
  /** Whose rows the reader sees. */
  owner_ids: readonly number[]
  /** What stands in the agent's folder. */
  soul(): readonly SoulFile[]
  search(query: MemoryQuery, signal: AbortSignal): Promise<MemoryAnswer>
  count: CountTokens
  now_ms(): number
}

/** Of the search; more than the budget holds, as some are in the recent turns or say the same. */
const hits_max = 18
/** Of all that is known so much is looked at, the weightiest first, and whatever the search found. */
const facts_max = 200
/** A turn does not wait longer for what an embedding service has to say. */
const search_ms_max = 3_000

/**
 * Reads what a turn needs and nothing else; writes nothing. A search that fails is a piece that says so, never an error;
 * throws the signal's reason.
 */
export async function assembleContext(deps: ContextDeps, request: ContextRequest): Promise<AssembledContext> {
  const { db, config, count } = deps
  const { session, message } = request
  const is_on = config.semantic_enabled
  const soul = tellSoul(deps)
  const ranges = isSummarising(config) ? currentSummaries(db, session) : []
  const summarised = ranges.at(-1)?.last_message ?? 0
  const recent = readRecent(db, request, {
    window: config.episodic_window,
    summarised,
    will_be_summarised: isSummarising(config),
  })
  const turns = tellRecent(deps, recent)
  const summary = tellSummaries(deps, readSummaries(db, ranges))
  const found = is_on
    ? await findFor(deps, request, { recent, summaries: summary.text })
    : { text: "", tokens: 0, pieces: [], searched: undefined }
  const current = recent.current.map(({ role, parts, provider }, i) => ({
    role,
    parts:
      i === 0 && found.text !== ""
        ? [{ type: "text" as const, text: found.text, metadata: found_metadata }, ...parts]
        : parts,
    ...(provider !== undefined && { provider }),
  }))
  const question: ContextPiece = {
    ...{ part: "question", id: message.id ?? null, kind: "message", text: textOf(message.parts) },
    tokens: recent.current.reduce((sum, { parts }) => sum + tokensOf(parts, count), 0),
    included: true,
    why: "the turn itself",
  }
  const pieces = [...soul.pieces, ...summary.pieces, ...turns.pieces, ...found.pieces, question]
  const system = [soul.text, summary.text].filter(Boolean).join("\n\n")
  const { facts_tokens, recalled_tokens, summary_tokens, recent_tokens } = config.context
  return {
    system,
    messages: [...turns.messages, ...current],
    pieces,
    tokens: count(system) + found.tokens + turns.tokens + question.tokens,
    budget: {
      facts: facts_tokens,
      recalled: recalled_tokens,
      summary: summary_tokens,
      recent: recent_tokens,
    },
    searched: found.searched,
  }
}

function tellSoul({ soul, count }: ContextDeps): { text: string; pieces: ContextPiece[] } {
  const files = soul()
  return {
    text: files
      .map(({ text }) => text)
      .filter(Boolean)
      .join("\n\n"),
    pieces: files.map(({ name, text, problem }) => ({
      ...{ part: "soul", id: null, kind: "file", text, tokens: count(text) },
      included: text !== "",
      why: problem ? `${name}: ${problem}` : name,
    })),
  }
}

function tellSummaries({ config, count }: ContextDeps, rows: readonly SummaryRow[]) {
  const budget = config.context.summary_tokens
  let left = budget - count(fenceEarlier([""]))
  const pieces: ContextPiece[] = []
  const shown: string[] = []
  // The latest first, where not all have room; they are joined into fewer in the background.
  for (const [i, { memory_id, text, created_ms, made_by }] of [...rows.entries()].toReversed()) {
    const day = toDay(created_ms)
    const is_same_day = i > 0 && toDay(rows[i - 1]!.created_ms) === day
    // Joined ones have their days in their lines.
    const line = text.startsWith("[") || is_same_day ? quotedLines(text) : `[${day}]\n${quotedLines(text)}`
    const tokens = count(line) + 1
    const included = tokens <= left
    if (included) {
      left -= tokens
      shown.unshift(line)
    }
    const why = included ? `an older stretch, by ${made_by}` : `beyond the budget of ${budget} tokens`
    pieces.unshift({ part: "summary", id: memory_id, kind: "summary", text: line, tokens, included, why })
  }
  return { text: fenceEarlier(shown), pieces }
}

function tellRecent({ config, count }: ContextDeps, { past }: Recent) {
  const { episodic_window: window, context } = config
  const budget = context.recent_tokens
  const step = Math.max(1, Math.ceil(window / 2))
  const fitted = fitTurns(past, { budget, step, count })
  const pieces = fitted.flatMap((turn, i) =>
    turn.map((one): ContextPiece => {
      const is_window = fitted.length - i <= window
      const why = is_window ? `one of the last ${window} turns` : "an older turn, kept until it is summarised"
      return toRecentPiece(one, why, budget)
    }),
  )
  const kept = fitted.flat().filter(({ state }) => state !== "dropped")
  return {
    messages: kept.map(({ message: { role, provider }, parts }) => ({
      role,
      parts,
      ...(provider !== undefined && { provider }),
    })),
    pieces,
    tokens: kept.reduce((sum, { tokens }) => sum + tokens, 0),
  }
}

const shortened = { whole: "", results_cut: ", its results shortened", cut: ", shortened", dropped: "" }

const toRecentPiece = ({ message, tokens, state }: Fitted, why: string, budget: number): ContextPiece => ({
  ...{ part: "recent", id: message.id, tokens, included: state !== "dropped" },
  kind: message.role === "tool" ? "tool_result" : "message",
  text: message.parts
    .map((part) => ("text" in part ? part.text : "content" in part ? part.content : ""))
    .join(""),
  why: state === "dropped" ? `beyond the budget of ${budget} tokens` : `${why}${shortened[state]}`,
})

type Found = { text: string; tokens: number; pieces: ContextPiece[]; searched: Searched | undefined }

/** What is known and what was said before, for the message of the user that the turn is about. */
async function findFor(
  deps: ContextDeps,
  { session, message, signal }: ContextRequest,
  { recent, summaries }: { recent: Recent; summaries: string },
): Promise<Found> {
  const { db, config, owner_ids, count } = deps
  const { facts_tokens, recalled_tokens } = config.context
  const asked = toAsked(textOf(recent.current.find(({ role }) => role === "user")?.parts ?? []))
  const words = toWordSet(asked)
  const reader = { agent: session.agent, sender: toSender(session) }
  const kinds = ["message", "summary", "note", "fact"] as const
  const query: MemoryQuery = { text: asked, reader, kinds, limit: hits_max }
  // What a client's own tools answered is no question; the one before them was answered with what was found for it.
  const is_asked = message.role === "user" && words.size > 0 && recalled_tokens + facts_tokens > 0
  const { answer, problem } = is_asked
    ? await trySearch(deps, query, signal)
    : { answer: undefined, problem: message.role === "user" ? "the message has no telling words" : undefined }
  const hits = answer?.hits ?? []
  const found = hits.flatMap(({ id, kind }) => (kind === "fact" ? [id] : []))
  const facts = facts_tokens === 0 ? [] : listKnownFacts(db, owner_ids, { limit: facts_max, also: found })
  const known = knownFor(facts, { words, found, budget: facts_tokens, now_ms: deps.now_ms(), count })
  const recalled =
    recalled_tokens === 0
      ? { lines: [], pieces: [] }
      : recalledFrom(
          hits.filter(({ kind }) => kind !== "fact"),
          {
            ...{ db, session, summaries, words, budget: recalled_tokens, count },
            is_by_model: (answer?.searched.vectors ?? []).some(
              ({ embedder }) => !embedder.startsWith("hash:"),
            ),
            shown_from: recent.past[0]?.[0]?.id ?? message.id ?? Number.MAX_SAFE_INTEGER,
          },
        )
  const told: ContextPiece[] = [...(answer?.searched.warnings ?? []), ...(problem ? [problem] : [])].map(
    (why) => ({
      ...{ part: "recalled", id: null, kind: "message", text: "", tokens: 0, included: false, why },
    }),
  )
  const text = fenceFound(known.lines, recalled.lines)
  const pieces = [...known.pieces, ...recalled.pieces, ...told]
  const lines = pieces.reduce((sum, { tokens, included }) => (included ? sum + tokens : sum), 0)
  return {
    text,
    // Its lines are counted already, and as a whole it is another one each time.
    tokens: text === "" ? 0 : count(fenceFound([""], [""])) + lines,
    pieces,
    searched: answer?.searched,
  }
}

async function trySearch(
  { search }: ContextDeps,
  query: MemoryQuery,
  signal: AbortSignal,
): Promise<{ answer?: MemoryAnswer; problem?: string }> {
  try {
    return { answer: await search(query, AbortSignal.any([signal, AbortSignal.timeout(search_ms_max)])) }
  } catch (thrown) {
    signal.throwIfAborted()
    const why = thrown instanceof AppError ? thrown.code : thrown instanceof Error ? thrown.name : "unknown"
    return { problem: `nothing was searched: ${why}` }
  }
}
