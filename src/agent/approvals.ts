import type { Target } from "../security/target.ts"

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
  /** What the call would do: whole, with control characters made visible; one line a target. */
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

export type Approvals = {
  /** What waits, oldest first. */
  list(): Approval[]
  /** Throws not_found for what does not wait (any more), conflict for another hash than was shown. Answered once. */
  resolve(answer: Answer): Promise<Approval>
  grants(): Grant[]
  /** Throws not_found. */
  revoke(grant_id: string): Promise<Grant>
}
