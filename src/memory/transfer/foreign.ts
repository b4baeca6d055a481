/** What nanobot and clawft keep of conversations, as rows and messages of ours. */
import type { SessionParts } from "../../base/session-key.ts"
import { type Noted, parseHistoryFile, parseMemoryFile, toTime } from "./markdown.ts"
import { type TransferRow, text_chars_max } from "./row.ts"
import type { SaidElsewhere } from "./sessions.ts"

export type ForeignFile = {
  /** Its name without folders. */
  name: string
  text: string
  /** For what has no date of its own. */
  changed_ms: number
}

export type Into = {
  agent: string
  /** "channel:account:peer"; empty: for all of the agent's senders. */
  sender: string
  /** Whose the terminal's conversation becomes. */
  terminal: Omit<SessionParts, "agent">
}

export type Foreign = {
  rows: TransferRow[]
  messages: SaidElsewhere[]
  /** What of it was not taken, for people: what, and how often. */
  left: Map<string, number>
}

/** Undefined where it is none of their files. Lines that are not what they should be are left, and that is counted. */
export function parseForeign(file: ForeignFile, into: Into): Foreign | undefined {
  const { name, text, changed_ms } = file
  if (/^MEMORY\.md$/i.test(name)) return asNotes(parseMemoryFile(text, changed_ms), "memory-md", into)
  if (/^HISTORY\.md$/i.test(name)) return asNotes(parseHistoryFile(text, changed_ms), "history", into)
  if (/^history\.jsonl$/i.test(name)) return parseHistoryLines(file, into)
  return /\.jsonl$/i.test(name) && isSession(text) ? parseSession(file, into) : undefined
}

/** Rows before it that are the same. */
function openCount(): (key: string) => number {
  const seen = new Map<string, number>()
  return (key) => {
    const nth = seen.get(key) ?? 0
    seen.set(key, nth + 1)
    return nth
  }
}

function asNotes(
  noted: readonly Noted[],
  tag: string,
  { agent, sender }: Into,
  left: Foreign["left"] = new Map(),
): Foreign {
  const nthOf = openCount()
  const fitting = noted.filter(({ text }) => isFitting(text, left))
  const rows = fitting.map(
    ({ text, created_ms, undated, fact }): TransferRow => ({
      ...{ agent, sender, namespace: "", kind: fact ? "fact" : "note", text, tags: [tag], importance: 0.6 },
      ...{ source: "import", created_ms, uses: 0, nth: nthOf(`${undated ? "" : created_ms} ${text}`) },
      ...(undated && { undated }),
      ...(fact && { fact: { type: "fact", confidence: 0.9, ...fact } }),
    }),
  )
  return { rows, messages: [], left }
}

const undated = true as const

function parseHistoryLines({ text, changed_ms }: ForeignFile, into: Into): Foreign {
  const left: Foreign["left"] = new Map()
  const noted = linesOf(text, left).flatMap(({ timestamp, content }) => {
    if (typeof content === "string" && content.trim() !== "") {
      const said_ms = toTime(timestamp)
      const dated = said_ms === undefined ? { created_ms: changed_ms, undated } : { created_ms: said_ms }
      return [{ text: content.trim(), ...dated }]
    }
    count(left, "lines without content")
    return []
  })
  return asNotes(noted, "history", into, left)
}

type Line = Record<string, unknown>

function linesOf(text: string, left: Foreign["left"]): Line[] {
  return text.split(/\r?\n/).flatMap((line) => {
    if (line.trim() === "") return []
    const value = parseLine(line)
    if (!value) count(left, "lines that are no JSON objects")
    return value ? [value] : []
  })
}

function parseLine(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Line) : undefined
  } catch {
    return undefined
  }
}

function isFitting(text: string, left: Foreign["left"]): boolean {
  if (text.length <= text_chars_max) return true
  count(left, `texts of more than ${text_chars_max} letters`)
  return false
}

const count = (left: Foreign["left"], what: string) => void left.set(what, (left.get(what) ?? 0) + 1)

const isSession = (text: string): boolean => {
  const first = parseLine(text.trimStart().split(/\r?\n/, 1)[0] ?? "")
  return first?._type === "metadata" || (typeof first?.role === "string" && "content" in first)
}

function parseSession({ name, text, changed_ms }: ForeignFile, into: Into): Foreign {
  const left: Foreign["left"] = new Map()
  const lines = linesOf(text, left)
  const metadata = lines.find(({ _type }) => _type === "metadata") ?? {}
  const key = typeof metadata.key === "string" ? metadata.key : keyOfName(name)
  const parts = partsOf(key, into)
  let created_ms = toTime(metadata.created_at) ?? changed_ms
  const nthOf = openCount()
  const messages = lines.flatMap(({ _type, role, content, timestamp }): SaidElsewhere[] => {
    if (_type !== undefined) {
      if (_type !== "metadata") count(left, `lines of the kind "${_type}"`)
      return []
    }
    created_ms = toTime(timestamp) ?? created_ms
    const said = textOf(content)
    if (role !== "user" && role !== "assistant") count(left, `messages of the role "${role}"`)
    else if (!isFitting(said, left)) return []
    else if (said === "") count(left, "messages without text, such as calls of tools")
    else return [{ ...parts, role, text: said, created_ms, nth: nthOf(`${role} ${created_ms} ${said}`) }]
    return []
  })
  return { rows: [], messages, left }
}

/** Plain text, or a list of parts of which some have text. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content.trim()
  if (!Array.isArray(content)) return ""
  const texts = content.map((part: Line | null) => (typeof part?.text === "string" ? part.text : ""))
  return texts.join("\n").trim()
}

/** A session that says no key of its own has it in its name: base64, percent-encoded, or with "_" for ":". */
function keyOfName(name: string): string {
  const stem = name.replace(/\.jsonl$/i, "")
  const decoded = Buffer.from(stem, "base64url").toString()
  if (/^[a-z][a-z0-9_-]*:[\x21-\x7e]+$/.test(decoded)) return decoded
  if (/%[0-9a-f]{2}/i.test(stem))
    return stem.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
  return stem.replace("_", ":")
}

/** The same channel and peer, so that a sender who writes by that channel here is known. */
function partsOf(key: string, { agent, terminal }: Into): SessionParts {
  const colon = key.indexOf(":")
  const channel = colon > 0 ? key.slice(0, colon) : "import"
  const peer = colon > 0 ? key.slice(colon + 1) : key
  if (channel === "cli" || peer === "") return { agent, ...terminal }
  return { agent, channel, account: "default", peer }
}
