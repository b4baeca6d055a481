import { appendFile, chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"

const entries_max = 1000

export type History = {
  /** Latest first, as readline keeps it. */
  entries: string[]
  add(entry: string): Promise<void>
}

/** What was typed in earlier chats: one entry a line, for its owner's eyes only. */
export async function openHistory(home: string): Promise<History> {
  const path = join(home, "history")
  const file = Bun.file(path)
  const lines = (await file.exists()) ? (await file.text()).split("\n").filter((line) => line !== "") : []
  const kept = lines.slice(-entries_max)
  // Shortened now and then, not at each start.
  if (lines.length > entries_max * 2) await writeFile(path, `${kept.join("\n")}\n`, { mode: 0o600 })
  if (lines.length > 0) await chmod(path, 0o600)
  const entries = kept.reverse()
  return {
    entries,
    async add(entry) {
      if (entries[0] === entry) return
      entries.unshift(entry)
      await appendFile(path, `${entry}\n`, { mode: 0o600 })
    },
  }
}
