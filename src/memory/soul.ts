/** Who an agent is: files that people write. */
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"

/** More than this is no description of anybody, and is sent with every turn. */
export const soul_bytes_max = 262_144

export type SoulFile = {
  name: string
  /** Trimmed; empty where the file is missing, empty, or cannot be used. */
  text: string
  /** Why a file that is there is not used. */
  problem?: string
}

/** Who the agent is, read from a file and read again when its mtime changes. A missing file is an empty soul. */
export function openSoul(path: string): () => string {
  let read_mtime_ms = Number.NaN
  let text = ""
  return () => {
    const mtime_ms = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (mtime_ms === undefined) return ""
    if (mtime_ms !== read_mtime_ms) {
      text = readFileSync(path, "utf8").trim()
      read_mtime_ms = mtime_ms
    }
    return text
  }
}

/** Who it is, whom it talks to, and how it works; in this order. */
export const soul_names = ["SOUL.md", "USER.md", "AGENTS.md"] as const

/** The files of an agent's folder, each read again when its time of change or its size does. Never throws. */
export function openSoulFolder(folder: string): () => readonly SoulFile[] {
  const readers = soul_names.map((name) => openFile(folder, name))
  return () => readers.flatMap((read) => read() ?? [])
}

/** By the agent's id, which is a file's name in the folder of all agents. */
export function openSouls(agents_folder: string): (agent: string) => readonly SoulFile[] {
  const opened = new Map<string, () => readonly SoulFile[]>()
  return (agent) => {
    const known = opened.get(agent) ?? openSoulFolder(join(agents_folder, agent))
    opened.set(agent, known)
    return known()
  }
}

function openFile(folder: string, name: string): () => SoulFile | undefined {
  const path = join(folder, name)
  let version = ""
  let file: SoulFile = { name, text: "" }
  return () => {
    try {
      const stat = statSync(path, { throwIfNoEntry: false })
      if (!stat) return undefined
      const now = `${stat.mtimeMs} ${stat.size} ${stat.ino}`
      if (now === version) return file
      file = stat.isFile() ? readSoul(path, name, stat.size) : { name, text: "", problem: "is not a file" }
      version = now
      return file
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code ?? "unknown"
      // Part of the path is a file: as good as missing.
      return code === "ENOTDIR" ? undefined : { name, text: "", problem: `cannot be read (${code})` }
    }
  }
}

function readSoul(path: string, name: string, size: number): SoulFile {
  if (size > soul_bytes_max) {
    return { name, text: "", problem: `has ${size} bytes; more than ${soul_bytes_max} are not read` }
  }
  return { name, text: readFileSync(path, "utf8").trim() }
}
