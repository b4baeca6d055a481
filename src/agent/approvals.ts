/** Calls that wait for a person, and what persons allowed for more than once. */
import { AppError } from "../base/errors.ts"
import { visible } from "../base/visible.ts"
import type { Target } from "../security/target.ts"
import type { Store } from "../store/open.ts"
import {
  addGrant,
  findGrant,
  type GrantRow,
  getGrant,
  listGrants,
  removeGrant,
} from "../store/tool-grants.ts"

/** How long an answer holds. "session" and "always" are for the same tool with the same targets only. */
export type Lasting = "once" | "session" | "always"

/** A call that waits for a person. */
export type Approval = {
  approval_id: string
  /** Of everything below that is shown; an answer that names another hash is refused. */
  hash: string
  agent: string
  session_key: string | null
  turn_id: string | null
  tool: string
  /** What the call would do: whole, with control characters made visible; one line a target, then the input. */
  summary: string
  targets: Target[]
  input: unknown
  created_ms: number
  expires_ms: number
}

export type Grant = {
  grant_id: string
  agent: string
  /** null: for every session. */
  session_key: string | null
  tool: string
  summary: string
  /** The name of the token that gave it. */
  given_by: string
  created_ms: number
}

export type Answer = {
  approval_id: string
  hash: string
  decision: "allow" | "deny"
  lasts: Lasting
  /** The name of the token that answers. */
  by: string
}

/** What is asked. */
export type Asking = Pick<Approval, "agent" | "session_key" | "turn_id" | "tool" | "targets" | "input">

/** How it was decided, and by whom or what. */
export type Decided = { decision: "allow" | "deny"; by: string; reason?: string }

export type Approvals = {
  /**
   * Denies at once where nobody is there to be asked; else waits for an answer, denies when the time is over, and
   * rejects with the signal's reason when the turn is stopped. `tell` gets the approval as soon as it waits.
   */
  ask(asking: Asking, signal: AbortSignal, tell: (approval: Approval) => void): Promise<Decided>
  /** What was allowed before for more than once, for the same tool and targets. */
  findGrant(asking: Asking): Grant | undefined
  /** What waits, oldest first. */
  list(): Approval[]
  /** Throws not_found for what does not wait (any more), conflict for another hash than was shown. Answered once. */
  resolve(answer: Answer): Promise<Approval>
  grants(): Grant[]
  /** Throws not_found. */
  revoke(grant_id: string): Promise<Grant>
}

export type ApprovalsOptions = {
  store: Store
  now_ms(): number
  timeout_ms(): number
  /** Whether somebody who may answer for this agent listens now. */
  isHeard(agent: string): boolean
  onRequested(approval: Approval): void
  onResolved(approval: Approval, decided: Decided & { lasts: Lasting }): void
}

/** `is_answered` while a permission that lasts is written: then neither time nor another answer counts. */
type Waiting = { approval: Approval; is_answered: boolean; end(decided: Decided, lasts: Lasting): void }

/** More than a person reads, and less than a socket takes at once. */
const summary_chars_max = 262_144

export function openApprovals(options: ApprovalsOptions): Approvals {
  const { store, now_ms, timeout_ms, isHeard, onRequested, onResolved } = options
  const waiting = new Map<string, Waiting>()
  return {
    async ask(asking, signal, tell) {
      const approval = toApproval(asking, now_ms(), timeout_ms())
      const refusal = refusalOf(approval, isHeard)
      if (refusal) return { decision: "deny", ...refusal }
      signal.throwIfAborted()
      const { approval_id, expires_ms, created_ms } = approval
      const { promise, resolve } = Promise.withResolvers<Decided>()
      const end = (decided: Decided, lasts: Lasting) => {
        if (!waiting.delete(approval_id)) return
        onResolved(approval, { ...decided, lasts })
        resolve(decided)
      }
      const asked: Waiting = { approval, is_answered: false, end }
      const expire = () => {
        if (asked.is_answered) return
        end({ decision: "deny", by: "time", reason: "Nobody answered in time." }, "once")
      }
      const stop = () => end({ decision: "deny", by: "stop", reason: "The turn was stopped." }, "once")
      waiting.set(approval_id, asked)
      const timer = setTimeout(expire, expires_ms - created_ms)
      signal.addEventListener("abort", stop, { once: true })
      try {
        onRequested(approval)
        tell(approval)
        // Whoever stopped it is told before whoever waited.
        const decided = await promise
        signal.throwIfAborted()
        return decided
      } finally {
        waiting.delete(approval_id)
        clearTimeout(timer)
        signal.removeEventListener("abort", stop)
      }
    },
    findGrant({ agent, session_key, tool, targets }) {
      const row = findGrant(store.db, { agent, session_key, tool, hash: hashOf(targets) })
      return row && toGrant(row)
    },
    list: () => [...waiting.values()].map(({ approval }) => approval),
    async resolve({ approval_id, hash, decision, lasts, by }) {
      const found = waiting.get(approval_id)
      if (!found || found.is_answered) throw new AppError("not_found", { what: "approval", approval_id })
      const { approval, end } = found
      if (approval.hash !== hash) throw new AppError("conflict", { what: "approval", approval_id })
      found.is_answered = true
      // What was asked outside of a session has none that the answer could hold for.
      const is_kept = lasts === "always" || (lasts === "session" && approval.session_key !== null)
      if (decision === "allow" && is_kept) {
        try {
          await keepGrant(approval, lasts, by, store, now_ms())
        } catch (thrown) {
          end({ decision: "deny", by: "storage", reason: "The answer could not be written." }, "once")
          throw thrown
        }
      }
      end({ decision, by, ...(decision === "deny" && { reason: `${by} said no.` }) }, lasts)
      return approval
    },
    grants: () => listGrants(store.db).map(toGrant),
    async revoke(grant_id) {
      const row = getGrant(store.db, grant_id)
      if (!row) throw new AppError("not_found", { what: "grant", grant_id })
      await store.commit((db) => removeGrant(db, grant_id))
      return toGrant(row)
    },
  }
}

function refusalOf({ agent, summary }: Approval, isHeard: ApprovalsOptions["isHeard"]) {
  if (summary.length > summary_chars_max) {
    return { by: "size", reason: "It is too long to be shown to a person whole." }
  }
  if (isHeard(agent)) return undefined
  return { by: "nobody", reason: "It needs a person's approval, and nobody is there to give it." }
}

function toApproval(asking: Asking, now_ms: number, timeout_ms: number): Approval {
  const shown = { ...asking, summary: summaryOf(asking) }
  return {
    approval_id: Bun.randomUUIDv7(),
    hash: hashOf(shown),
    ...shown,
    created_ms: now_ms,
    expires_ms: now_ms + timeout_ms,
  }
}

const keepGrant = (
  { agent, session_key, tool, targets, summary }: Approval,
  lasts: Lasting,
  by: string,
  store: Store,
  now_ms: number,
): Promise<void> => {
  const row: GrantRow = {
    id: Bun.randomUUIDv7(),
    agent,
    session_key: lasts === "always" ? null : session_key,
    tool,
    hash: hashOf(targets),
    summary,
    given_by: by,
    created_ms: now_ms,
  }
  return store.commit((db) => addGrant(db, row))
}

const toGrant = ({ id, hash: _hash, ...row }: GrantRow): Grant => ({ grant_id: id, ...row })

export const hashOf = (value: unknown): string =>
  new Bun.CryptoHasher("sha256").update(JSON.stringify(value)).digest("hex")

/** What a person reads before he answers: nothing left out, nothing that a terminal or a browser would hide. */
export function summaryOf({ agent, tool, targets, input }: Asking): string {
  const fields = Object.entries((input ?? {}) as Record<string, unknown>)
  const lines = [
    `${tool} of the agent "${agent}" would`,
    ...targets.map(describe),
    ...fields.map(([name, value]) => `  ${visible(name)} = ${visible(asText(value))}`),
  ]
  return lines.join("\n")
}

/** One target in one line. */
export function describe({ effect, text, note, script }: Target): string {
  const more = [note, script && `the file ${visible(script.path)} as it is now (sha256 ${script.sha256})`]
  const told = more.filter((part) => part !== undefined)
  return `- ${effect} ${visible(text)}${told.length === 0 ? "" : ` (${told.map((part) => visible(part)).join("; ")})`}`
}

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))
