/** What the memory offers to turns, tools, methods and commands. */

import type { Part } from "../base/parts.ts"
import type { MemoryKind, MemorySource, Owner } from "../store/memory.ts"
import type { FactRow } from "../store/memory-facts.ts"
import type { Message } from "../store/messages.ts"
import type { Store } from "../store/open.ts"
import type { Session } from "../store/sessions.ts"
import type { ExportPage, ExportRequest } from "./transfer/export.ts"
import type { ImportBatch, Imported } from "./transfer/import.ts"
import type { SaidElsewhere, SaidImported } from "./transfer/sessions.ts"

/** Who asks. */
export type Reader = {
  agent: string
  /** "channel:account:peer"; undefined for an operator, who sees what is of all of the agent's senders. */
  sender: string | undefined
}

/** Whose something becomes: the reader's own sender's, the agent's own, or a namespace's that the agent may share in. */
export type Audience = { to: "sender" | "agent" } | { to: "namespace"; namespace: string }

/** A fact as it is kept; `disputes` is the uid of one that says otherwise, until somebody settles it. */
export type MemoryFact = FactRow

export type MemoryItem = {
  id: number
  kind: MemoryKind
  text: string
  owner: Owner
  session_key: string | null
  message_id: number | null
  tags: string[]
  importance: number
  source: MemorySource
  created_ms: number
  used_ms: number | null
  uses: number
  fact?: MemoryFact
}

export type MemoryQuery = {
  text: string
  reader: Reader
  kinds?: readonly MemoryKind[] | undefined
  session_key?: string | undefined
  /** Each of them. */
  tags?: readonly string[] | undefined
  after_ms?: number | undefined
  before_ms?: number | undefined
  limit: number
  /** Whether facts that were superseded are found, too. */
  include_superseded?: boolean | undefined
}

export type MemoryHit = MemoryItem & {
  /** 0 to 1; comparable within one answer only. */
  score: number
  /** For people: "words 1st", "meaning 3rd", "recent". */
  why: string[]
}

/** What a search did, so that an empty answer can be believed. */
export type Searched = {
  /** Rows that the reader may see and that the filters let through. */
  rows: number
  /** Rows whose words were matched; at least, where very many have them. */
  words_matched: number
  /** One entry for each set of vectors that was searched. */
  vectors: { embedder: string; index: string; looked_at: number }[]
  /** Messages that were not indexed yet when it searched; 0: everything was. */
  pending: number
  /** What was wrong and what was done instead, for people. */
  warnings: string[]
  took_ms: number
}

export type MemoryAnswer = { hits: MemoryHit[]; searched: Searched }

export type MemoryFilter = {
  reader: Reader
  kinds?: readonly MemoryKind[] | undefined
  session_key?: string | undefined
  tags?: readonly string[] | undefined
  include_superseded?: boolean | undefined
  before?: number | undefined
  limit: number
}

export type NewNote = {
  reader: Reader
  audience: Audience
  text: string
  tags: readonly string[]
  importance: number
  source: MemorySource
  /** A fact in place of a note. */
  fact?: { subject: string; predicate: string; object: string }
}

export type Forgotten = {
  forgotten: number
  /** What the reader may see that still has the same words; nothing of it was touched. */
  related: MemoryItem[]
}

export type MemoryStats = {
  rows: Record<MemoryKind, number>
  facts: { current: number; superseded: number; disputed: number }
  /** Messages that are not indexed yet. */
  pending: number
  embedder: string
  vectors: {
    embedder: string
    state: "filling" | "serving"
    dim: number
    hot: number
    warm: number
    cold: number
    /** Rows that have no vector in it. */
    missing: number
    /** "exact", or the graph and how much it finds of what an exact search finds. */
    index: string
    /** What goes on in the background, and how far it is, of 1. */
    work: "none" | "checking" | "rebuilding" | "moving" | "linking"
    progress: number
    kept_in: "files" | "memory"
    disk_bytes: number
  }[]
  kernel: string
}

/** One thing that doctor looked at. */
export type MemoryCheck = { name: string; ok: boolean; said: string; remedy?: string }

/** A piece of a turn's context: what went in, and what did not and why. */
export type ContextPiece = {
  part: "soul" | "summary" | "facts" | "recalled" | "recent" | "question"
  id: number | null
  kind: MemoryKind | "file"
  text: string
  tokens: number
  included: boolean
  why: string
}

export type AssembledContext = {
  /** After the agent's instructions: soul files and summaries, which change rarely. */
  system: string
  /** Recent turns. The last one is the user's message, with what was found for it in front. */
  messages: Pick<Message, "role" | "parts" | "provider">[]
  pieces: ContextPiece[]
  tokens: number
  budget: Record<"facts" | "recalled" | "summary" | "recent", number>
  searched: Searched | undefined
}

/** What of a session a turn is about to send. */
export type ContextRequest = {
  session: Session
  /** The user's message, as it was stored; for an explanation a text that was not. */
  message: { id: number | undefined; role: "user" | "tool"; parts: Part[] }
  signal: AbortSignal
}

/** Holds nothing and loads little before it is used. */
export type Memory = {
  /** In the commit that begins a turn: learns at once what the user's message says. */
  hear(db: Store["db"], session: Session, message: { id: number; parts: Part[]; created_ms: number }): void
  assemble(request: ContextRequest): Promise<AssembledContext>
  /** After a turn: what is due is indexed, summarised and learnt in the background. */
  later(session_id: number): void
  /** These rows were given to a model: what is used stays near. */
  used(ids: readonly number[]): void
  search(query: MemoryQuery, signal: AbortSignal): Promise<MemoryAnswer>
  list(filter: MemoryFilter): MemoryItem[]
  /** Of these numbers the rows that the reader may see, in their order; superseded facts, too. */
  get(reader: Reader, ids: readonly number[]): MemoryItem[]
  /** Throws forbidden where the agent may not share in the namespace. */
  add(note: NewNote): Promise<MemoryItem>
  /** Numbers that the reader may not see are answered like those that are not there: not counted. */
  forget(reader: Reader, ids: readonly number[]): Promise<Forgotten>
  exportRows(request: ExportRequest): ExportPage
  importRows(batch: ImportBatch): Promise<Imported>
  importMessages(messages: readonly SaidElsewhere[]): Promise<SaidImported>
  stats(agent?: string): Promise<MemoryStats>
  check(): Promise<MemoryCheck[]>
  /** Drops the words and the files of vectors and makes them anew from the rows; the rows stay. */
  reindex(): Promise<void>
  /** After commits that deleted messages or sessions: what the files beside the database still have is taken out. */
  settle(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
