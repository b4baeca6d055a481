import type { TurnEvent, TurnResult } from "./events.ts"

/**
 * One event, or several text (or reasoning) events merged. `ends` are the character offsets at which the
 * merged ones end, so that a reader who left in the middle can go on exactly there.
 */
export type LogEntry = { seq_first: number; seq: number; event: TurnEvent; ends?: number[] }

/** The events of one turn. Every reader has a cursor of its own, so a slow one costs nothing and loses nothing. */
export type TurnLog = {
  entries: LogEntry[]
  append(event: TurnEvent): void
  /** Calls back after each append, until disposed of. */
  watch(listener: (entry: LogEntry) => void): Disposable
}

/** A merged event stays below this many characters, so that it fits into anybody's frame. */
const merged_chars_max = 65_536

export function openTurnLog(entries: LogEntry[] = []): TurnLog {
  const listeners = new Set<(entry: LogEntry) => void>()
  return {
    entries,
    append(event) {
      const seq = (entries.at(-1)?.seq ?? -1) + 1
      const entry = { seq_first: seq, seq, event }
      entries.push(entry)
      for (const listener of listeners) listener(entry)
    },
    watch(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}

export const isEnded = (log: TurnLog): boolean => log.entries.at(-1)?.event.type === "done"

export type Cursor = {
  /** The next event, or undefined where the log has no more yet. With `merge` adjacent text comes as one event. */
  next(merge: boolean): LogEntry | undefined
}

/** Reads a log from the event after `after_seq`, which may be one that is yet to come; -1 is from the start. */
export function openCursor({ entries }: TurnLog, after_seq: number): Cursor {
  let index = 0
  return {
    next(merge) {
      while ((entries[index]?.seq ?? Number.POSITIVE_INFINITY) <= after_seq) index++
      let entry = entries[index]
      if (!entry) return undefined
      index++
      if (entry.seq_first <= after_seq) entry = rest(entry, after_seq)
      if (merge) {
        for (let more = entries[index]; more && fits(entry, more); more = entries[++index]) {
          entry = join(entry, more)
        }
      }
      return entry
    },
  }
}

/** The events after `after_seq` as they come, to the end or until the signal; merged where the reader is behind. */
export async function* readLog(
  log: TurnLog,
  after_seq: number,
  signal: AbortSignal,
): AsyncGenerator<LogEntry, void, void> {
  const cursor = openCursor(log, after_seq)
  let wake = Promise.withResolvers<void>()
  using _watching = log.watch(() => wake.resolve())
  const stop = () => wake.resolve()
  signal.addEventListener("abort", stop)
  try {
    while (!signal.aborted) {
      const entry = cursor.next(true)
      if (entry) yield entry
      if (entry) continue
      if (isEnded(log)) return
      await wake.promise
      wake = Promise.withResolvers()
    }
  } finally {
    signal.removeEventListener("abort", stop)
  }
}

/** The log with adjacent text merged, as it is stored and replayed. */
export function mergeEntries(log: TurnLog): LogEntry[] {
  const cursor = openCursor(log, -1)
  const merged: LogEntry[] = []
  for (let entry = cursor.next(true); entry; entry = cursor.next(true)) merged.push(entry)
  return merged
}

/** The log as it will be, without telling anybody yet. */
export function withEvents(log: TurnLog, events: TurnEvent[]): TurnLog {
  const copy = openTurnLog([...log.entries])
  for (const event of events) copy.append(event)
  return copy
}

/** Tokens and money of the whole turn; the money is unknown as soon as one call's is. */
export function sumUsage({ entries }: TurnLog): TurnResult["usage"] {
  const sum: TurnResult["usage"] = { input_tokens: 0, output_tokens: 0, cost_usd: 0 }
  for (const { event } of entries) {
    if (event.type !== "usage") continue
    sum.input_tokens += event.input_tokens
    sum.output_tokens += event.output_tokens
    sum.cost_usd = sum.cost_usd === null || event.cost_usd === null ? null : sum.cost_usd + event.cost_usd
  }
  return sum
}

const isText = (event: TurnEvent) => event.type === "text" || event.type === "reasoning"
const chars = ({ event }: LogEntry) =>
  event.type === "text" || event.type === "reasoning" ? event.text.length : 0

const fits = (entry: LogEntry, more: LogEntry) =>
  isText(entry.event) &&
  entry.event.type === more.event.type &&
  chars(entry) + chars(more) <= merged_chars_max

function join(entry: LogEntry, more: LogEntry): LogEntry {
  const [left, right] = [entry.event, more.event] as [{ type: "text"; text: string }, { text: string }]
  const offset = left.text.length
  const ends = entry.ends ?? [offset]
  for (const end of more.ends ?? [right.text.length]) ends.push(offset + end)
  return {
    seq_first: entry.seq_first,
    seq: more.seq,
    event: { type: left.type, text: left.text + right.text },
    ends,
  }
}

/** What of a merged entry comes after `seq`. */
function rest(entry: LogEntry, seq: number): LogEntry {
  const count = seq - entry.seq_first + 1
  const ends = entry.ends ?? []
  const cut = ends[count - 1] ?? 0
  const event = entry.event as { type: "text"; text: string }
  return {
    seq_first: seq + 1,
    seq: entry.seq,
    event: { type: event.type, text: event.text.slice(cut) },
    ends: ends.slice(count).map((end) => end - cut),
  }
}
