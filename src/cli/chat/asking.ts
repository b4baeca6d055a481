import {
  type Approver,
  denial,
  endedBy,
  question,
  type Resolved,
  toChoice,
  type Waiting,
} from "../approvals.ts"
import { framed } from "../text.ts"
import type { Input } from "./input.ts"
import type { TurnView } from "./turn-view.ts"

export type Asking = {
  /** A call of the turn waits. One is asked after the other. */
  ask(waiting: Waiting): void
  /** Somebody answered, here or elsewhere. */
  resolved(resolved: Resolved): void
  /** What is asked now is denied, as by Ctrl-C. */
  refuse(): void
  /** The turn is over. */
  end(): void
}

type Options = {
  approver: Approver
  input: Pick<Input, "answer">
  view: Pick<TurnView, "ask" | "tell">
  columns(): number
}

type Current = { waiting: Waiting; over: AbortController; is_answered: boolean }

/** Asks about a turn's calls in the terminal that it runs in. */
export function openAsking({ approver, input, view, columns }: Options): Asking {
  const waiting: Waiting[] = []
  let current: Current | undefined
  let is_over = false

  const next = () => {
    if (current || is_over) return
    const first = waiting.shift()
    if (!first) return
    current = { waiting: first, over: new AbortController(), is_answered: false }
    view.tell(framed(first.summary, columns()))
    void put(current)
  }
  const put = async (asked: Current) => {
    const typed = await input.answer((text) => view.ask(`${question}${text}`), asked.over.signal)
    view.ask("")
    if (!asked.over.signal.aborted) {
      asked.is_answered = true
      const told = await approver.answer(asked.waiting, toChoice(typed))
      if (told === undefined) waiting.unshift(asked.waiting)
      else view.tell(told)
    }
    current = undefined
    next()
  }

  return {
    ask(asked) {
      waiting.push(asked)
      next()
    },
    resolved(resolved) {
      const { approval_id } = resolved
      const index = waiting.findIndex((one) => one.approval_id === approval_id)
      if (index !== -1) waiting.splice(index, 1)
      // What was answered here is told where it was.
      if (current?.waiting.approval_id !== approval_id || current.is_answered) return
      current.over.abort()
      view.tell(endedBy(resolved))
    },
    refuse() {
      if (!current || current.is_answered) return
      current.over.abort()
      void approver.answer(current.waiting, denial)
    },
    end() {
      is_over = true
      current?.over.abort()
    },
  }
}
