/** Asking somebody at a terminal outside of a chat: questions on standard error, answers by whole lines. */

import { writeStandardError } from "../base/log.ts"
import { type Client, WeftError } from "../client/client.ts"
import { denial, endedBy, openApprover, question, toChoice, type Waiting } from "./approvals.ts"
import { columnsOf, note, notes } from "./output.ts"
import { framed } from "./text.ts"

/** Whether somebody sits there who sees a question and can type an answer. */
export const isAttended = (): boolean => process.stdin.isTTY === true && notes.isTTY

type Lines = Disposable & {
  /** A line that is typed from now on; undefined where the signal or the end of the input is first. */
  next(prompt: string, signal?: AbortSignal): Promise<string | undefined>
}

/** What is typed at the terminal. Lines that nobody asked for are taken and forgotten, so that none passes for an answer. */
export function openLines(): Lines {
  let resolve: ((line: string | undefined) => void) | undefined
  let has_ended = false
  const take = (chunk: Buffer) => resolve?.(chunk.toString().split("\n")[0])
  const end = () => {
    has_ended = true
    resolve?.(undefined)
  }
  process.stdin.on("data", take).on("end", end).resume()
  return {
    async next(prompt, signal) {
      const asked = Promise.withResolvers<string | undefined>()
      const stop = () => asked.resolve(undefined)
      resolve = asked.resolve
      writeStandardError(prompt)
      signal?.addEventListener("abort", stop, { once: true })
      if (has_ended || signal?.aborted) stop()
      const line = await asked.promise
      signal?.removeEventListener("abort", stop)
      resolve = undefined
      return line
    },
    [Symbol.dispose]: () => void process.stdin.off("data", take).off("end", end).pause(),
  }
}

export type Attendant = Disposable & {
  /**
   * Shows what waits, asks, and answers. Ends with the question when somebody else is faster. Answers whether somebody
   * is still there to be asked.
   */
  ask(waiting: Waiting): Promise<boolean>
  /** Rejects when the connection is closed for good. */
  listening: Promise<void>
}

export type AttendantOptions = {
  /** Ctrl-C: a no, unless `requested` is given. */
  signal: AbortSignal
  /** Told of every call that waits, whoever's turn it is. Then who leaves denies nothing by that. */
  requested?(waiting: Waiting): void
}

/** Undefined where the token may not approve. */
export async function openAttendant(
  client: Client,
  { signal, requested }: AttendantOptions,
): Promise<Attendant | undefined> {
  const approver = await openApprover(client)
  if (!approver) return undefined
  const lines = openLines()
  const ended = new Map<string, string>()
  let current: { approval_id: string; over: AbortController } | undefined
  const listening = approver.listen({
    ...(requested && { requested }),
    resolved(resolved) {
      ended.set(resolved.approval_id, endedBy(resolved))
      if (current?.approval_id === resolved.approval_id) current.over.abort()
    },
  })
  listening.catch((thrown) => {
    // The connection is closed, with the command or for good: its turn says why.
    if (!(thrown instanceof WeftError)) throw thrown
  })
  return {
    listening,
    async ask(waiting) {
      const { approval_id, tool, summary } = waiting
      const before = ended.get(approval_id)
      if (before) {
        note(`[${tool}] ${before}`)
        return true
      }
      note(framed(summary, columnsOf(process.stderr)))
      const over = new AbortController()
      current = { approval_id, over }
      const typed = await lines.next(question, AbortSignal.any([over.signal, signal]))
      current = undefined
      if (typed === undefined) note("")
      if (over.signal.aborted) {
        note(ended.get(approval_id)!)
        return true
      }
      if (requested && typed === undefined) {
        note("Not answered: it goes on waiting.")
        return false
      }
      const told = await approver.answer(waiting, signal.aborted ? denial : toChoice(typed))
      note(told ?? "not answered: the connection was lost")
      return true
    },
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  }
}
