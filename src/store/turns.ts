import type { Database } from "bun:sqlite"

export type TurnState = "running" | "done" | "failed" | "interrupted"

export type TurnRow = {
  id: string
  session_id: number | null
  session_key: string | null
  agent: string
  state: TurnState
  stop_reason: string | null
  outcome: string | null
  events: string | null
  started_ms: number
  finished_ms: number | null
}

export function startTurn(
  db: Database,
  turn: { id: string; session_id: number | null; agent: string; started_ms: number },
): void {
  db.query(
    `INSERT INTO turn (id, session_id, agent, state, started_ms)
     VALUES ($id, $session_id, $agent, 'running', $started_ms)`,
  ).run(turn)
}

export function finishTurn(
  db: Database,
  turn: {
    id: string
    state: TurnState
    stop_reason: string
    outcome: string
    events: string
    finished_ms: number
  },
): void {
  db.query(
    // A turn that runs has events only where something of it was forgotten (store/forget.ts): none of them are kept.
    `UPDATE turn SET state = $state, stop_reason = $stop_reason, outcome = $outcome,
       events = iif(events IS NULL, $events, NULL), finished_ms = $finished_ms WHERE id = $id`,
  ).run(turn)
}

export const findTurn = (db: Database, id: string): TurnRow | undefined =>
  (db
    .query(
      `SELECT turn.*, session.key AS session_key FROM turn LEFT JOIN session ON session.id = turn.session_id
       WHERE turn.id = ?`,
    )
    .get(id) as TurnRow | null) ?? undefined

export const hasRunningTurns = (db: Database): boolean =>
  db.query("SELECT 1 FROM turn WHERE state = 'running' LIMIT 1").get() !== null

/** For the start: what was running when the process died becomes interrupted. Answers how many there were. */
export function interruptTurns(db: Database, now_ms: number): number {
  return db
    .query(
      `UPDATE turn SET state = 'interrupted', stop_reason = 'interrupted', finished_ms = $now_ms
       WHERE state = 'running'`,
    )
    .run({ now_ms }).changes
}

export function rateTurn(
  db: Database,
  { id, rating, note }: { id: string; rating: number; note: string | null },
): void {
  db.query("UPDATE turn SET rating = $rating, rating_note = $note WHERE id = $id").run({ id, rating, note })
}

export type IdempotencyRow = { request_hash: string; turn_id: string }

export const findIdempotency = (
  db: Database,
  session_key: string,
  key: string,
  after_ms: number,
): IdempotencyRow | undefined =>
  (db
    .query(
      "SELECT request_hash, turn_id FROM idempotency WHERE session_key = ? AND key = ? AND created_ms > ?",
    )
    .get(session_key, key, after_ms) as IdempotencyRow | null) ?? undefined

export function addIdempotency(
  db: Database,
  row: IdempotencyRow & { session_key: string; key: string; created_ms: number },
): void {
  db.query(
    `INSERT OR REPLACE INTO idempotency (session_key, key, request_hash, turn_id, created_ms)
     VALUES ($session_key, $key, $request_hash, $turn_id, $created_ms)`,
  ).run(row)
}
