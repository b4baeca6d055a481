/** What plugins keep. */
import type { Database } from "bun:sqlite"

/** A store of one plugin in one scope: a session's key, or "agent:" and an agent's name. */
export type StoreId = { plugin: string; scope: string; store: string }

export type StoreLimits = { store_bytes_max: number; plugin_bytes_max: number }

/** The row of plugin_store for all that a plugin holds: no store is without a name. A sum would look at each session's. */
const all = { scope: "", store: "" }

/** What a row takes besides its key and its value. */
const row_bytes = 64

export const getValue = (db: Database, id: StoreId, key: string): Uint8Array | undefined =>
  (
    db
      .query(
        `SELECT value FROM plugin_value
         WHERE plugin = $plugin AND scope = $scope AND store = $store AND key = $key`,
      )
      .get({ ...id, key }) as { value: Uint8Array } | null
  )?.value

/** Answers false, and has changed nothing, where that would be more than the limits. */
export function putValue(
  db: Database,
  id: StoreId,
  key: string,
  value: Uint8Array,
  limits: StoreLimits,
  now_ms: number,
): boolean {
  const grown = bytesOf(key, value.length) - oldBytes(db, id, key)
  const sizes = sizesOf(db, id)
  // What becomes smaller always may.
  if (grown > 0 && sizes.store_bytes + grown > limits.store_bytes_max) return false
  if (grown > 0 && sizes.plugin_bytes + grown > limits.plugin_bytes_max) return false
  db.query(
    `INSERT INTO plugin_value (plugin, scope, store, key, value, updated_ms)
     VALUES ($plugin, $scope, $store, $key, $value, $now_ms)
     ON CONFLICT DO UPDATE SET value = $value, updated_ms = $now_ms`,
  ).run({ ...id, key, value, now_ms })
  grow(db, id, grown)
  return true
}

export function removeValue(db: Database, id: StoreId, key: string): void {
  const bytes = oldBytes(db, id, key)
  if (bytes === 0) return
  db.query(
    `DELETE FROM plugin_value WHERE plugin = $plugin AND scope = $scope AND store = $store AND key = $key`,
  ).run({ ...id, key })
  grow(db, id, -bytes)
}

export type KeyFilter = { prefix: string; after: string; limit: number }

/** In the order of their bytes, from after `after` on. */
export const listKeys = (db: Database, id: StoreId, { prefix, after, limit }: KeyFilter): string[] =>
  (
    db
      .query(
        `SELECT key FROM plugin_value
         WHERE plugin = $plugin AND scope = $scope AND store = $store AND key > $after
           AND key >= $prefix AND key < $prefix || CAST(x'ff' AS TEXT)
         ORDER BY key LIMIT $limit`,
      )
      .all({ ...id, prefix, after, limit }) as { key: string }[]
  ).map(({ key }) => key)

/** What all stores of a plugin hold, and this one. */
export const sizesOf = (db: Database, id: StoreId): { store_bytes: number; plugin_bytes: number } => ({
  store_bytes: storeBytes(db, id),
  plugin_bytes: storeBytes(db, { ...id, ...all }),
})

const storeBytes = (db: Database, id: StoreId): number =>
  (
    db
      .query("SELECT bytes FROM plugin_store WHERE plugin = $plugin AND scope = $scope AND store = $store")
      .get(id) as { bytes: number } | null
  )?.bytes ?? 0

/** All that plugins kept for a session. */
export function removeScope(db: Database, scope: string): void {
  db.query(
    `DELETE FROM plugin_value
     WHERE (plugin, scope, store) IN (SELECT plugin, scope, store FROM plugin_store WHERE scope = ?)`,
  ).run(scope)
  const held = db
    .query(
      "SELECT plugin, sum(bytes) AS bytes FROM plugin_store WHERE scope = ? AND store <> '' GROUP BY plugin",
    )
    .all(scope) as { plugin: string; bytes: number }[]
  for (const { plugin, bytes } of held) add(db, { plugin, ...all }, -bytes)
  db.query("DELETE FROM plugin_store WHERE scope = ? AND store <> ''").run(scope)
}

const bytesOf = (key: string, value_bytes: number) => Buffer.byteLength(key) + value_bytes + row_bytes

/** 0 where there is no such key. */
function oldBytes(db: Database, id: StoreId, key: string): number {
  const row = db
    .query(
      `SELECT length(value) AS bytes FROM plugin_value
       WHERE plugin = $plugin AND scope = $scope AND store = $store AND key = $key`,
    )
    .get({ ...id, key }) as { bytes: number } | null
  return row ? bytesOf(key, row.bytes) : 0
}

function grow(db: Database, id: StoreId, bytes: number): void {
  add(db, id, bytes)
  add(db, { ...id, ...all }, bytes)
}

function add(db: Database, id: StoreId, bytes: number): void {
  db.query(
    `INSERT INTO plugin_store (plugin, scope, store, bytes) VALUES ($plugin, $scope, $store, $bytes)
     ON CONFLICT DO UPDATE SET bytes = bytes + $bytes`,
  ).run({ ...id, bytes })
}
