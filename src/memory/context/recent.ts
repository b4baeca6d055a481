/** The last turns of a session as they were said, and how they are made to fit. */

import type { Part, ToolResult } from "../../base/parts.ts"
import type { Store } from "../../store/open.ts"
import type { Session } from "../../store/sessions.ts"
import { countTurns, latestTurns, readStretch, type StretchMessage } from "../../store/summaries.ts"
import type { ContextRequest } from "../memory.ts"
import { type CountTokens, tokensOf } from "./tokens.ts"

/** What a turn sends of its session: whole past turns, and what the running one has said so far. */
export type Recent = { past: StretchMessage[][]; current: StretchMessage[] }

export type RecentOptions = {
  window: number
  /** The last message that a summary covers; 0 for none. */
  summarised: number
  /** Whether turns that are not summarised yet will be. */
  will_be_summarised: boolean
}

/** As many windows of turns wait for a summary that is late. */
const windows_waiting_max = 3

/**
 * The last `window` turns and older ones that no summary covers. Where none comes, the beginning moves by a window at a time:
 * a provider's cache of the prompt holds for the turns between.
 */
export function readRecent(
  db: Store["db"],
  { session, message }: Pick<ContextRequest, "session" | "message">,
  options: RecentOptions,
): Recent {
  const { window, will_be_summarised } = options
  const upto = message.id ?? Number.MAX_SAFE_INTEGER
  const kept_max = window * (will_be_summarised ? windows_waiting_max : 2)
  const turns = latestTurns(db, session.id, { after: session.context_after, upto, limit: kept_max + 2 })
  const is_new = message.id === undefined && message.role === "user"
  const running = is_new ? undefined : turns.shift()
  const first = beginning(db, session, turns, { ...options, kept_max, before: running ?? upto + 1 })
  const from = first ?? running
  const messages = from === undefined ? [] : readStretch(db, session.id, { first: from, last: upto })
  const past = byTurn(messages.filter(({ id }) => running === undefined || id < running))
  const current = running === undefined ? [] : messages.filter(({ id }) => id >= running)
  const unstored = { id: 0, role: message.role, parts: message.parts, created_ms: 0 }
  return { past, current: message.id === undefined ? [...current, unstored] : current }
}

/** The first message of those past turns that are shown; `turns` are newest first. */
function beginning(
  db: Store["db"],
  session: Session,
  turns: number[],
  { window, summarised, kept_max, before }: RecentOptions & { kept_max: number; before: number },
): number | undefined {
  if (window === 0 || turns.length === 0) return undefined
  const unsummarised = turns.filter((id) => id > summarised).length
  if (unsummarised <= kept_max) return turns[Math.min(turns.length, Math.max(window, unsummarised)) - 1]
  const total = countTurns(db, session.id, { after: Math.max(session.context_after, summarised), before })
  return turns[window + (total % window) - 1]
}

function byTurn(messages: StretchMessage[]): StretchMessage[][] {
  const turns: StretchMessage[][] = []
  for (const message of messages) {
    if (message.role === "user" || turns.length === 0) turns.push([message])
    else turns.at(-1)!.push(message)
  }
  return turns
}

export type Fitted = {
  message: StretchMessage
  parts: Part[]
  tokens: number
  state: "whole" | "results_cut" | "cut" | "dropped"
}

/**
 * The past turns in at most `budget` tokens. The oldest turns' tool results lose their middles first, then the oldest turns go;
 * the last one stays, if need be with its texts cut. All in steps of half a window, so that not every turn changes what was
 * sent before. A call and its result stay or go together.
 */
export function fitTurns(
  turns: readonly StretchMessage[][],
  { budget, step, count }: { budget: number; step: number; count: CountTokens },
): Fitted[][] {
  let fitted = turns.map((turn) => turn.map((message) => fit(message, message.parts, "whole", count)))
  for (let cut = 0; cut < turns.length && sum(fitted) > budget; ) {
    cut = Math.min(turns.length, cut + step)
    fitted = fitted.map((turn, i) =>
      i < cut
        ? turn.map((one) => fit(one.message, one.message.parts.map(cutResult), "results_cut", count))
        : turn,
    )
  }
  for (let dropped = 0; dropped < turns.length - 1 && sum(fitted) > budget; ) {
    dropped = Math.min(turns.length - 1, dropped + step)
    fitted = fitted.map((turn, i) => (i < dropped ? turn.map(drop) : turn))
  }
  const last = fitted.at(-1)
  if (last && sum(fitted) > budget) fitted[fitted.length - 1] = squeeze(last, budget, count)
  return fitted
}

const sum = (turns: readonly Fitted[][]) => turns.flat().reduce((total, { tokens }) => total + tokens, 0)

function fit(message: StretchMessage, parts: Part[], state: Fitted["state"], count: CountTokens): Fitted {
  const is_same = parts.every((part, i) => part === message.parts[i])
  return { message, parts, tokens: tokensOf(parts, count), state: is_same ? "whole" : state }
}

const drop = ({ message }: Fitted): Fitted => ({ message, parts: [], tokens: 0, state: "dropped" })

/** Ends of a result that was seen and answered already. */
const head_chars = 400
const tail_chars = 200

function cutResult(part: Part): Part {
  if (part.type !== "tool_result") return part
  const { images: _seen, ...result } = part
  const content = withoutMiddle(result, head_chars, tail_chars)
  return content === part.content && !part.images ? part : { ...result, content }
}

function withoutMiddle({ content, name }: ToolResult, head: number, tail: number): string {
  const left_out = content.length - head - tail
  // What says that something is left out would be as long.
  if (left_out < 200) return content
  const handle = /read_result has all of it: handle "([^"\n]{1,100})"/.exec(content)?.[1]
  const again = handle ? `read_result has all of it: handle "${handle}"` : `call ${name} again if you need it`
  const note = `[… ${left_out} of ${content.length} characters of this older result are left out; ${again} …]`
  return `${content.slice(0, head).toWellFormed()}\n${note}\n${content.slice(-tail).toWellFormed()}`
}

/** The least that is shown of a text of the last turn. */
const squeezed_chars_min = 128

/** All texts of a turn cut to one length at which it fits; where none is short enough, the turn goes. */
function squeeze(turn: Fitted[], budget: number, count: CountTokens): Fitted[] {
  for (let chars = 32_768; chars >= squeezed_chars_min; chars >>= 1) {
    const cut = turn.map(({ message, parts }) =>
      fit(
        message,
        parts.flatMap((part) => cutPart(part, chars)),
        "cut",
        count,
      ),
    )
    if (sum([cut]) <= budget) return cut
  }
  return turn.map(drop)
}

function cutPart(part: Part, chars: number): Part[] {
  if (part.type === "reasoning" && part.text.length > chars) return []
  if (part.type === "tool_result") {
    return [{ ...part, content: withoutMiddle(part, (chars * 2) / 3, chars / 3) }]
  }
  if (part.type !== "text" || part.text.length <= chars + 200) return [part]
  const { text } = part
  const note = `[… ${text.length - chars} of ${text.length} characters are left out; memory_search finds them …]`
  const half = chars >> 1
  return [
    {
      type: "text",
      text: `${text.slice(0, half).toWellFormed()}\n${note}\n${text.slice(-half).toWellFormed()}`,
    },
  ]
}
