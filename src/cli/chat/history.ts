import { appendFile, chmod, mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

const entries_max = 1000

export type History = {
  /** Latest first, as readline keeps it. */
  entries: string[]
  add(entry: string): Promise<void>
}

/**
 * What was typed in earlier chats: one entry a line, for its owner's eyes only. Where it cannot be kept the chat goes
 * on without, and that is said once.
 */
export async function openHistory(home: string, hint: (text: string) => void): Promise<History> {
  const path = join(home, "history")
  let is_kept = true
  async function keep(work: () => Promise<unknown>): Promise<void> {
    if (!is_kept) return
    try {
      await work()
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException
      if (code === undefined) throw thrown
      is_kept = false
      hint(`What is typed here is not kept: ${path} (${code}).`)
    }
  }

  const entries: string[] = []
  await keep(async () => entries.push(...(await readEntries(path))))
  return {
    entries,
    async add(entry) {
      if (entries[0] === entry) return
      entries.unshift(entry)
      await keep(() => append(path, entry))
    },
  }
}

async function readEntries(path: string): Promise<string[]> {
  const file = Bun.file(path)
  const lines = (await file.exists()) ? (await file.text()).split("\n").filter((line) => line !== "") : []
  const kept = lines.slice(-entries_max)
  // Shortened now and then, not at each start.
  if (lines.length > entries_max * 2) await writeFile(path, `${kept.join("\n")}\n`, { mode: 0o600 })
  if (lines.length > 0) await chmod(path, 0o600)
  return kept.reverse()
}

/** Whoever talks to a gateway elsewhere may have no home yet. */
async function append(path: string, entry: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await appendFile(path, `${entry}\n`, { mode: 0o600 })
}
