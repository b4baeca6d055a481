import type { Database } from "bun:sqlite"

export type TokenRow = {
  id: string
  hash: Uint8Array
  name: string
  /** Space-separated. */
  scopes: string
  agents: string[] | null
  created_ms: number
  expires_ms: number | null
  last_used_ms: number | null
  revoked_ms: number | null
}

type Raw = Omit<TokenRow, "agents"> & { agents: string | null }

export function addToken(db: Database, { agents, ...token }: TokenRow): void {
  db.query(
    `INSERT INTO token (id, hash, name, scopes, agents, created_ms, expires_ms, last_used_ms, revoked_ms)
     VALUES ($id, $hash, $name, $scopes, $agents, $created_ms, $expires_ms, $last_used_ms, $revoked_ms)`,
  ).run({ ...token, agents: agents && JSON.stringify(agents) })
}

export const listTokens = (db: Database): TokenRow[] =>
  (db.query("SELECT * FROM token ORDER BY created_ms, id").all() as Raw[]).map(({ agents, ...row }) => ({
    ...row,
    agents: agents === null ? null : (JSON.parse(agents) as string[]),
  }))

export function revokeToken(db: Database, id: string, now_ms: number): void {
  db.query("UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL").run(now_ms, id)
}

export function touchToken(db: Database, id: string, now_ms: number): void {
  db.query("UPDATE token SET last_used_ms = ? WHERE id = ?").run(now_ms, id)
}

export type AuthFailures = { address: string; failed_ms: number[] }

export const listAuthFailures = (db: Database, after_ms: number): AuthFailures[] =>
  (
    db.query("SELECT address, failed_ms FROM auth_failure WHERE updated_ms > ?").all(after_ms) as {
      address: string
      failed_ms: string
    }[]
  ).map(({ address, failed_ms }) => ({ address, failed_ms: JSON.parse(failed_ms) as number[] }))

export function putAuthFailures(db: Database, { address, failed_ms }: AuthFailures): void {
  db.query("INSERT OR REPLACE INTO auth_failure (address, failed_ms, updated_ms) VALUES (?, ?, ?)").run(
    address,
    JSON.stringify(failed_ms),
    failed_ms.at(-1) ?? 0,
  )
}
