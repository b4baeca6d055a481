import { createInterface, type Interface } from "node:readline"
import { PassThrough } from "node:stream"
import { openQueue } from "../../client/queue.ts"
import { columnsOf } from "../output.ts"
import { readAnswer } from "./answer.ts"
import type { History } from "./history.ts"
import { type Keys, line_end, openKeys, toLines } from "./keys.ts"
import { matchOf, press, type Search } from "./search.ts"

export type Input = Disposable & {
  /** The next message; undefined when the person leaves. */
  ask(prompt: string): Promise<string | undefined>
  /** Runs while something else has the screen; Ctrl-C calls back. */
  during<T>(work: Promise<T>, onInterrupt: () => void): Promise<T>
  /** Meanwhile: one line that is typed from now on; undefined where the signal ends the question. */
  answer(show: (typed: string) => void, signal: AbortSignal): Promise<string | undefined>
  /** Says something while the prompt waits, above it. */
  interject(text: string): void
}

type Options = { history: History; complete(line: string): string[]; hint(text: string): void }

const search_key = "\u0012"
const paste_on = "\u001b[?2004h"
const paste_off = "\u001b[?2004l"

/** Line editing in a terminal, on Node's readline: history, completion, several lines by Alt-Enter, paste or a last "\". */
export function openInput({ history, complete, hint }: Options): Input {
  const stream = new PassThrough()
  const keys = openKeys((text) => {
    if (text === search_key) search({ keys, editor, stream, history })
    else stream.write(text)
  })
  const terminal = takeTerminal((chunk) => keys.feed(chunk))
  const editor = createInterface({
    input: stream,
    output: process.stdout,
    terminal: true,
    history: [...history.entries],
    historySize: 1000,
    completer: (line: string) => [complete(line), line],
  })
  editor.on("SIGTSTP", () => terminal.suspend(() => editor.prompt(true)))
  const recall = recallMessages(editor, history)
  const askLine = openLines(editor, hint)

  return {
    async ask(prompt) {
      const asked = askLine(prompt)
      // What was typed meanwhile stands behind the prompt, which is there by now.
      keys.release()
      let message = await asked
      while (message?.endsWith("\\")) {
        const more = await askLine("… ")
        message = more === undefined ? undefined : message.slice(0, -1) + line_end + more
      }
      // Whoever has the terminal next begins on a line of his own.
      if (message === undefined) process.stdout.write("\n")
      if (message?.trim()) await history.add(message)
      recall()
      return message === undefined ? undefined : toLines(message)
    },
    during(work, onInterrupt) {
      keys.hold(onInterrupt)
      return work
    },
    answer: (show, signal) => readAnswer(keys, show, signal),
    interject(text) {
      process.stdout.write("\r\u001b[J")
      hint(text)
      editor.prompt(true)
    },
    [Symbol.dispose]() {
      editor.close()
      terminal[Symbol.dispose]()
    },
  }
}

/** The terminal key by key, until it is given back. */
function takeTerminal(feed: (chunk: Buffer) => void): Disposable & { suspend(onResume: () => void): void } {
  const take = () => {
    process.stdin.setRawMode(true)
    process.stdout.write(paste_on)
  }
  const giveBack = () => {
    process.stdout.write(paste_off)
    process.stdin.setRawMode(false)
  }
  take()
  process.stdin.on("data", feed)
  return {
    /** Ctrl-Z: the shell has the terminal as it was, until `fg`. */
    suspend(onResume) {
      giveBack()
      process.once("SIGCONT", () => {
        take()
        onResume()
      })
      process.kill(process.pid, "SIGTSTP")
    },
    [Symbol.dispose]() {
      process.stdin.off("data", feed)
      giveBack()
      process.stdin.pause()
    },
  }
}

/** The editor adds each line to its history; a message may be several, and is what somebody wants to have again. */
function recallMessages(editor: Interface, history: History): () => void {
  let recalled: string[] = []
  const recall = () => void recalled.splice(0, recalled.length, ...history.entries)
  editor.on("history", (lines) => {
    recalled = lines
    recall()
  })
  return recall
}

/** What the line editor tells. It does not wait until somebody asks. */
type Typed = { line: string } | "interrupt" | "leave"

/** Asks for lines. Ctrl-C empties one; on an empty line it takes two to leave. Ctrl-D leaves. */
function openLines(editor: Interface, hint: (text: string) => void) {
  const typed = openQueue<Typed>()
  editor.on("line", (line) => typed.push({ line }))
  editor.on("close", () => typed.push("leave"))
  editor.on("SIGINT", () => {
    if (editor.line === "") typed.push("interrupt")
    else clear(editor)
  })
  return async (prompt: string): Promise<string | undefined> => {
    let is_leaving = false
    editor.setPrompt(prompt)
    editor.prompt()
    for (;;) {
      const next = (await typed.next()).value as Typed
      if (next === "leave") return undefined
      if (next !== "interrupt") return next.line
      if (is_leaving) return undefined
      is_leaving = true
      process.stdout.write("\n")
      hint("Ctrl-C again or Ctrl-D leaves.")
      editor.prompt()
    }
  }
}

type Searching = { keys: Keys; editor: Interface; stream: PassThrough; history: History }

/** The line editor waits, unseen, while a search has its row. */
function search({ keys, editor, stream, history }: Searching): void {
  let now: Search = { query: "", index: 0 }
  const show = () => {
    const text = `(search) ${now.query}: ${matchOf(history.entries, now) ?? ""}`
    process.stdout.write(`\r\u001b[J${Bun.sliceAnsi(text, 0, columnsOf(process.stdout) - 1)}`)
  }
  keys.divert((key) => {
    const found = press(history.entries, now, key)
    if (found.state === "searching") {
      now = found.search
      return show()
    }
    keys.divert(undefined)
    if (found.line !== undefined) {
      clear(editor)
      editor.write(found.line)
    }
    editor.prompt(true)
    if (found.is_sent) stream.write("\r")
  })
  show()
}

function clear(editor: Interface): void {
  editor.write(null, { ctrl: true, name: "e" })
  editor.write(null, { ctrl: true, name: "u" })
}
