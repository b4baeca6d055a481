/** Whether a call may run: its agent's rules, then what was granted before, then a person. */

import { posix } from "node:path"
import type { Rules } from "../security/permissions.ts"
import { below, realPath } from "../security/real-path.ts"
import { type Permit, type Target, ToolDenied } from "../security/target.ts"
import { type Approval, type Approvals, type Asking, describe, hashOf } from "./approvals.ts"

export type Verdict = {
  verdict: "allow" | "deny"
  /** The rule, the grant or the person, for the record. */
  by: string
  /** For the model, where it is denied. */
  reason: string
  /** What a person or a grant allowed; the rules alone would have asked. */
  asked: Target[]
}

export type Gate = {
  rules: Rules
  approvals: Approvals
  signal: AbortSignal
  /** Told when a call begins to wait for a person. */
  onAsk(approval: Approval): void
  /** All that the call would do, now. What it says twice must be the same, or the answer is void. */
  look(): Promise<Target[]>
}

/** Rejects with the signal's reason when the turn is stopped while somebody is asked. */
export async function decide(asking: Asking, gate: Gate): Promise<Verdict> {
  const { rules, approvals, signal, onAsk, look } = gate
  const { tool, targets } = asking
  const decided = targets.map((target) => ({ target, ...rules.decide(tool, target) }))
  const denied = decided.find(({ verdict }) => verdict === "deny")
  if (denied) return deny(denied.rule, `the rules do not allow: ${describe(denied.target).slice(2)}`)
  const asked = decided.flatMap(({ verdict, target }) => (verdict === "ask" ? [target] : []))
  const by = [...new Set(decided.map(({ rule }) => rule))].join(", ")
  if (asked.length === 0) return { verdict: "allow", by: `rule ${by}`, reason: "", asked }
  const grant = approvals.findGrant(asking)
  if (grant) return { verdict: "allow", by: `${grant.given_by} (grant ${grant.grant_id})`, reason: "", asked }
  const answer = await approvals.ask(asking, signal, onAsk)
  if (answer.decision === "deny")
    return { verdict: "deny", by: answer.by, reason: answer.reason ?? "", asked }
  const now = await look()
  if (hashOf(now) !== hashOf(targets)) {
    return deny(`${answer.by} (void)`, "what it would do changed after it was shown; call it again")
  }
  return { verdict: "allow", by: answer.by, reason: "", asked }
}

const deny = (by: string, reason: string): Verdict => ({ verdict: "deny", by, reason, asked: [] })

/**
 * For the walls, at the moment of the effect: what the rules allow, and what was asked and allowed. A link or a redirect
 * that leads elsewhere is another target, and nobody was asked about that one.
 */
export function permitOf(tool: string, rules: Rules, asked: readonly Target[], workspace?: string): Permit {
  const known = new Set(asked.map(keyOf))
  const covering = asked.filter(({ covers }) => covers)
  const isKnown = (target: Target) =>
    known.has(keyOf(target)) || covering.some((one) => isCovered(target, one, workspace))
  return (target) => {
    const { verdict } = rules.decide(tool, target)
    if (verdict === "allow" || (verdict === "ask" && isKnown(target))) return
    const what = describe(target).slice(2)
    throw new ToolDenied(
      verdict === "deny"
        ? `Not allowed: ${what}.`
        : `Nobody was asked about this: ${what}. Call the tool with it directly.`,
    )
  }
}

const keyOf = ({ effect, kind, text }: Target) => `${effect}\0${kind}\0${text}`

/** Whether a target is one of those that another one stands for. */
function isCovered(target: Target, by: Target, workspace: string | undefined): boolean {
  if (target.effect !== by.effect || target.kind !== by.kind) return false
  if (by.kind === "host") return isHostBelow(by.text, target.text)
  if (by.kind !== "path") return false
  // Within the workspace paths are relative, and a folder may be around it.
  const from = workspace === undefined ? undefined : realPath(workspace)
  const toAbsolute = (path: string) =>
    from === undefined ? posix.normalize(path) : posix.resolve(from, path)
  return below(toAbsolute(by.text), toAbsolute(target.text)) !== undefined
}

/** "*.example.com:443" stands for the hosts below that name, and for no address. */
function isHostBelow(pattern: string, host: string): boolean {
  const below = pattern.slice(1)
  return (
    pattern.startsWith("*.") &&
    host.length > below.length &&
    host.endsWith(below) &&
    !/^[\d.]+:\d+$|^\[/.test(host)
  )
}
