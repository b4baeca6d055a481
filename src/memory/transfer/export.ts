import { tagsOf } from "../../store/memory-search.ts"
import {
  findFact,
  findSummary,
  findVector,
  listForExport,
  type StoredFact,
  type StoredRow,
} from "../../store/memory-transfer.ts"
import type { Store } from "../../store/open.ts"
import type { Vectors } from "../vectors/set.ts"
import type { Origin, TransferEmbedder, TransferRow } from "./row.ts"

export type ExportRequest = {
  /** Undefined for all. */
  agents: readonly string[] | undefined
  /** The number of the last row before. */
  after: number
  limit: number
  bytes_max: number
  with_vectors: boolean
}

export type ExportPage = {
  rows: TransferRow[]
  /** `after` of the next page; undefined where this is the last one. */
  next: number | undefined
  /** What made the vectors; undefined where none are asked for, or there are none. */
  embedder: TransferEmbedder | undefined
}

/**
 * The next rows, in the order of their numbers: it stays the same for what was exported, taken out and taken in again. A page
 * has at most `limit` rows and, after the first, no more than `bytes_max`.
 */
export function exportRows(
  { db, vectors }: { db: Store["db"]; vectors: Pick<Vectors, "sets"> },
  { agents, after, limit, bytes_max, with_vectors }: ExportRequest,
): ExportPage {
  const set = with_vectors ? vectors.sets().find(({ state }) => state === "serving") : undefined
  const rows: TransferRow[] = []
  let [next, bytes]: [number | undefined, number] = [undefined, 0]
  let last = after
  for (const stored of listForExport(db, { agents, after, limit: limit + 1 })) {
    const row = toRow(db, stored, set?.id)
    bytes += Buffer.byteLength(JSON.stringify(row))
    if (rows.length === limit || (rows.length > 0 && bytes > bytes_max)) {
      next = last
      break
    }
    rows.push(row)
    last = stored.id
  }
  return { rows, next, embedder: set && { id: set.embedder, dim: set.dim } }
}

/** The fields in one order, and those that say nothing left out: the same row is the same line. */
function toRow(db: Store["db"], stored: StoredRow, set_id: number | undefined): TransferRow {
  const origin = stored.origin === null ? undefined : (JSON.parse(stored.origin) as Origin)
  const { kind, session, message, summary, said_in } = origin ?? refsOf(db, stored)
  const fact = stored.kind === "fact" ? findFact(db, stored.id) : undefined
  const vector = set_id === undefined ? undefined : findVector(db, set_id, stored.id)
  const { agent, sender, namespace, text, importance, source, created_ms, used_ms, uses, nth } = stored
  return {
    ...{ agent, sender, namespace, kind: kind ?? stored.kind, text },
    tags: tagsOf(db, [stored.id]).get(stored.id) ?? [],
    ...{ importance, source, created_ms },
    ...(used_ms !== null && { used_ms }),
    ...{ uses, nth },
    ...(session && { session }),
    ...(message && { message }),
    ...(summary && { summary }),
    ...(fact && { fact: toFact(fact, said_in) }),
    ...(vector && { vector: Buffer.from(vector).toString("base64") }),
  }
}

function refsOf(db: Store["db"], row: StoredRow): Origin {
  const { id, kind, session_key, session_ms, message_id, turn_id } = row
  const fact = kind === "fact" ? findFact(db, id) : undefined
  const summary = kind === "summary" ? findSummary(db, id) : undefined
  return {
    ...(session_key !== null &&
      session_ms !== null && { session: { key: session_key, created_ms: session_ms } }),
    ...(message_id !== null && turn_id !== null && { message: { id: message_id, turn_id } }),
    ...(summary && { summary }),
    ...(fact?.said_in && { said_in: fact.said_in }),
  }
}

function toFact(fact: StoredFact, said_in: Origin["said_in"]): NonNullable<TransferRow["fact"]> {
  const { uid, type, subject, predicate, object, key, confidence, learned_ms } = fact
  const { superseded_ms, superseded_by, disputes } = fact
  return {
    ...{ uid, type: type as "fact", subject, predicate, object, key, confidence, learned_ms },
    ...(superseded_ms !== null && { superseded_ms }),
    ...(superseded_by !== null && { superseded_by }),
    ...(disputes !== null && { disputes }),
    ...(said_in && { said_in }),
  }
}
