import type { Database } from "bun:sqlite"

export type ResultRow = { handle: string; scope: string; tool: string; content: string; created_ms: number }

export function addResult(db: Database, result: ResultRow): void {
  db.query(
    `INSERT INTO tool_result (handle, scope, tool, content, created_ms)
     VALUES ($handle, $scope, $tool, $content, $created_ms)`,
  ).run(result)
}

export const findResult = (db: Database, scope: string, handle: string): string | undefined =>
  (
    db.query("SELECT content FROM tool_result WHERE scope = ? AND handle = ?").get(scope, handle) as {
      content: string
    } | null
  )?.content
