import type { Database } from "bun:sqlite"

/** One request of a platform, which may send it several times. */
export type DeliveryRow = {
  channel: string
  hash: string
  is_done: 0 | 1
  turn_id: string | null
  body: Uint8Array | null
  attempts: number
  created_ms: number
}

export type DeliveryKey = Pick<DeliveryRow, "channel" | "hash">

/** One that failed, or whose day is over, begins anew; one that was acknowledged and cut off counts its attempts. */
export function putDelivery(db: Database, row: Omit<DeliveryRow, "is_done" | "attempts">): void {
  db.query(
    `INSERT INTO webhook_delivery (channel, hash, is_done, turn_id, body, attempts, created_ms)
     VALUES ($channel, $hash, 0, $turn_id, $body, 1, $created_ms)
     ON CONFLICT (channel, hash) DO UPDATE SET is_done = 0, turn_id = $turn_id, body = $body,
       attempts = iif(is_done = 0 AND body IS NOT NULL, attempts + 1, 1), created_ms = $created_ms`,
  ).run(row)
}

export function finishDelivery(db: Database, { channel, hash }: DeliveryKey): void {
  db.query("UPDATE webhook_delivery SET is_done = 1, body = NULL WHERE channel = ? AND hash = ?").run(
    channel,
    hash,
  )
}

/** `after_ms` is when what is still known began; older rows wait for their deletion. */
export const findDelivery = (
  db: Database,
  { channel, hash }: DeliveryKey,
  after_ms: number,
): Pick<DeliveryRow, "is_done" | "turn_id"> | undefined =>
  (db
    .query("SELECT is_done, turn_id FROM webhook_delivery WHERE channel = ? AND hash = ? AND created_ms >= ?")
    .get(channel, hash, after_ms) as Pick<DeliveryRow, "is_done" | "turn_id"> | null) ?? undefined

export type UnfinishedDelivery = Omit<DeliveryRow, "is_done" | "body" | "created_ms">

/** What was acknowledged and not brought to an end, oldest first. */
export const listUnfinishedDeliveries = (db: Database): UnfinishedDelivery[] =>
  db
    .query(
      `SELECT channel, hash, turn_id, attempts FROM webhook_delivery WHERE is_done = 0 AND body IS NOT NULL
       ORDER BY created_ms`,
    )
    .all() as UnfinishedDelivery[]

export const deliveryBody = (db: Database, { channel, hash }: DeliveryKey): Uint8Array | undefined =>
  (
    db.query("SELECT body FROM webhook_delivery WHERE channel = ? AND hash = ?").get(channel, hash) as {
      body: Uint8Array | null
    } | null
  )?.body ?? undefined
