/** Which stretch of a session is to be summarised next, and which summaries are to be joined. */
import type { Store } from "../../store/open.ts"
import type { Session } from "../../store/sessions.ts"
import { currentSummaries, earliestTurns, lastBefore, type SummaryRange } from "../../store/summaries.ts"
import type { MemoryConfig } from "../config.ts"

export const isSummarising = ({
  semantic_enabled,
  summaries,
  episodic_window,
  context,
}: MemoryConfig): boolean =>
  semantic_enabled && summaries !== "none" && episodic_window > 0 && context.summary_tokens > 0

export type Stretch = { first: number; last: number }

/** More windows than this behind (an import, a long failure), a summary takes several windows at once. */
const behind_windows = 6
const windows_at_once = 5

/**
 * The oldest turns that no summary covers: a window of them once there are more than two, so that a window's worth stays as
 * it was said; a gap that forgetting left, whatever its length. Undefined where nothing is due.
 */
export function dueStretch(db: Store["db"], session: Session, window: number): Stretch | undefined {
  const { id } = session
  let after = session.context_after
  for (const { first_message, last_message } of currentSummaries(db, session)) {
    const gap = earliestTurns(db, id, { after, before: first_message, limit: window + 1 })
    if (gap[0] !== undefined) return toStretch(db, id, gap[0], gap[window] ?? first_message)
    after = last_message
  }
  const limit = behind_windows * window + 1
  const turns = earliestTurns(db, id, { after, before: Number.MAX_SAFE_INTEGER, limit })
  if (turns.length <= 2 * window) return undefined
  const length = turns.length === limit ? windows_at_once * window : window
  return toStretch(db, id, turns[0]!, turns[length]!)
}

function toStretch(db: Store["db"], session_id: number, first: number, before: number): Stretch {
  return { first, last: lastBefore(db, session_id, { after: first - 1, before }) ?? first }
}

/** What stands around a summary where it is sent. */
const frame_tokens = 8
/** Of the budget: what the later summaries keep when the older ones are joined, and what those become. */
const kept_part = 0.5
const joined_part = 0.3

/** The oldest summaries, where all of them are more than the budget; at least two. */
export function dueJoin(db: Store["db"], session: Session, budget: number): SummaryRange[] {
  const ranges = currentSummaries(db, session)
  const weigh = ({ tokens }: SummaryRange) => tokens + frame_tokens
  const total = ranges.reduce((sum, range) => sum + weigh(range), 2 * frame_tokens + 40)
  if (total <= budget || ranges.length < 2) return []
  let kept = 0
  let from = ranges.length
  while (from > 2 && kept + weigh(ranges[from - 1]!) <= budget * kept_part) kept += weigh(ranges[--from]!)
  return ranges.slice(0, from)
}

/** Eight stretches of a window each are as much as the budget: with five turns to a window, forty turns. */
export const stretchTokens = (budget: number): number => Math.max(40, Math.floor(budget / 8) - frame_tokens)
export const joinedTokens = (budget: number): number => Math.max(60, Math.floor(budget * joined_part))
