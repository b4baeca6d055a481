import { type Client, WeftError } from "../client/client.ts"
import { failureText, harmless } from "./text.ts"

/** A call of a tool that waits for a person. */
export type Waiting = { approval_id: string; hash: string; tool: string; summary: string }

/** That somebody answered, or that it is over. `by` is a token's name, else what ended it. */
export type Resolved = { approval_id: string; decision: string; by: string }

export type Requested = Waiting & { agent: string; turn_id: string | null }

export type Choice = { decision: "allow" | "deny"; lasts: "once" | "session" | "always" }

export const question = "allow? [y]es once, for this [s]ession, [a]lways, [n]o: "

const choices: Record<string, Choice["lasts"]> = {
  y: "once",
  yes: "once",
  s: "session",
  session: "session",
  a: "always",
  always: "always",
}

export const denial: Choice = { decision: "deny", lasts: "once" }

/** Whatever is not exactly a yes is a no. */
export function toChoice(typed: string | undefined): Choice {
  const word = typed?.trim().toLowerCase() ?? ""
  return Object.hasOwn(choices, word) ? { decision: "allow", lasts: choices[word]! } : denial
}

export type Approver = {
  /** Answers what was shown. A sentence for who answered; undefined where the gateway could not be reached. */
  answer(waiting: Pick<Waiting, "approval_id" | "hash">, choice: Choice): Promise<string | undefined>
  /** Until the client is closed. */
  listen(heard: { requested?(request: Requested): void; resolved(resolved: Resolved): void }): Promise<void>
}

const topics = ["approval.requested", "approval.resolved"]

/**
 * Makes this client one that the gateway can ask; from when it resolves the gateway knows that somebody is there.
 * Undefined where the token may not approve.
 */
export async function openApprover(client: Client): Promise<Approver | undefined> {
  const { scopes } = await client.info()
  if (!scopes.includes("approve")) return undefined
  const events = client.events(topics)
  await client.call("event.subscribe", { topics })
  return {
    async answer({ approval_id, hash }, choice) {
      try {
        await client.call("approval.resolve", { approval_id, hash, ...choice })
        return choice.decision === "deny" ? "denied" : `allowed ${lasting[choice.lasts]}`
      } catch (thrown) {
        if (!(thrown instanceof WeftError)) throw thrown
        if (thrown.code === "unreachable") return undefined
        if (thrown.code === "not_found") return "too late: it was answered elsewhere, or its time was over"
        if (thrown.code === "conflict") return "not answered: it is not what was shown any more"
        return failureText(thrown)
      }
    },
    async listen({ requested, resolved }) {
      for await (const { topic, data } of events) {
        if (topic === "approval.requested") requested?.(data as Requested)
        else resolved(data as Resolved)
      }
    },
  }
}

const lasting = { once: "once", session: "for this session", always: "always" }

/** How it ended without an answer from here. */
export function endedBy({ decision, by }: Resolved): string {
  if (by === "time") return "denied: nobody answered in time"
  if (by === "stop") return "denied: the turn was stopped"
  return `${decision === "allow" ? "allowed" : "denied"} by ${harmless(by)}`
}
