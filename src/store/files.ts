import type { Database } from "bun:sqlite"

/** An uploaded file. Its bytes lie in the home under their content hash, once however often they are uploaded. */
export type FileRow = {
  id: string
  hash: string
  mime: string
  bytes: number
  name: string | null
  token_id: string
  created_ms: number
}

export function addFile(db: Database, file: FileRow): void {
  db.query(
    `INSERT INTO file (id, hash, mime, bytes, name, token_id, created_ms)
     VALUES ($id, $hash, $mime, $bytes, $name, $token_id, $created_ms)`,
  ).run(file)
}

export const findFile = (db: Database, id: string): FileRow | undefined =>
  (db.query("SELECT * FROM file WHERE id = ?").get(id) as FileRow | null) ?? undefined
