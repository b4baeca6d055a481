import type { Database } from "bun:sqlite"
import type { RetentionConfig } from "./config.ts"

const hour_ms = 3_600_000

/** How long the same idempotency key means the same turn. */
export const idempotency_ms = 24 * hour_ms

/** How long a platform's request is known, so that it is taken in once. */
export const delivery_ms = 24 * hour_ms

/** With their rows of memory, words and vectors mostly 18 ms of the processor; with a merge of the words up to 350. */
const purged_at_once = 256

/** The first messages that are past their time; answers whether there were any. Years of them at once take seconds. */
export function purgeMessagesStep(db: Database, { messages_days }: RetentionConfig, now_ms: number): boolean {
  if (messages_days === undefined) return false
  const { changes } = db
    .query(
      `DELETE FROM message WHERE id IN
         (SELECT id FROM message WHERE created_ms < $before ORDER BY id LIMIT $limit)`,
    )
    .run({ before: now_ms - messages_days * 24 * hour_ms, limit: purged_at_once })
  return changes > 0
}

/** Forgets what is past its time. Of messages there are few by then, see `purgeMessagesStep`. */
export function purge(db: Database, retention: RetentionConfig, now_ms: number): void {
  const events_before = now_ms - retention.turn_events_hours * hour_ms
  db.query("UPDATE turn SET events = NULL WHERE events IS NOT NULL AND finished_ms < ?").run(events_before)
  db.query("DELETE FROM turn WHERE session_id IS NULL AND finished_ms < ?").run(events_before)
  db.query("DELETE FROM idempotency WHERE created_ms < ?").run(now_ms - idempotency_ms)
  db.query("DELETE FROM webhook_delivery WHERE created_ms < ?").run(now_ms - delivery_ms)
  db.query("DELETE FROM auth_failure WHERE updated_ms < ?").run(now_ms - hour_ms)
  db.query("DELETE FROM tool_result WHERE created_ms < ?").run(
    now_ms - retention.tool_results_hours * hour_ms,
  )
  if (retention.tool_calls_days !== undefined) {
    const before = now_ms - retention.tool_calls_days * 24 * hour_ms
    db.query("DELETE FROM tool_call WHERE created_ms < ?").run(before)
  }
  if (retention.messages_days === undefined) return
  db.query("DELETE FROM message WHERE created_ms < ?").run(now_ms - retention.messages_days * 24 * hour_ms)
  // A summary has what was said in its first message as well.
  db.run(
    `DELETE FROM memory WHERE id IN (SELECT memory_id FROM summary
       WHERE NOT EXISTS (SELECT 1 FROM message WHERE message.id = first_message))`,
  )
}
