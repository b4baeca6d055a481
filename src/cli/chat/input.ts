import { createInterface, type Interface } from "node:readline"
import { PassThrough } from "node:stream"
import { openQueue } from "../../client/queue.ts"
import { columnsOf } from "../output.ts"
import type { History } from "./history.ts"
import { line_end, openKeys, toLines } from "./keys.ts"
import { matchOf, press, type Search } from "./search.ts"

export type Input = Disposable & {
  /** The next message; undefined when the person leaves. */
  ask(prompt: string): Promise<string | undefined>
  /** Runs while something else has the screen; Ctrl-C calls back. */
  during<T>(work: Promise<T>, onInterrupt: () => void): Promise<T>
}

type Options = { history: History; complete(line: string): string[]; hint(text: string): void }

const search_key = "\u0012"
const paste_on = "\u001b[?2004h"
const paste_off = "\u001b[?2004l"

/** Line editing in a terminal, on Node's readline: history, completion, several lines by Alt-Enter, paste or a last "\". */
export function openInput({ history, complete, hint }: Options): Input {
  const input = new PassThrough()
  const keys = openKeys((text) => {
    if (text === search_key) search()
    else input.write(text)
  })
  const feed = (chunk: Buffer) => keys.feed(chunk)
  process.stdin.setRawMode(true)
  process.stdin.on("data", feed)
  process.stdout.write(paste_on)
  const editor = createInterface({
    input,
    output: process.stdout,
    terminal: true,
    history: [...history.entries],
    historySize: 1000,
    completer: (line: string) => [complete(line), line],
  })

  // The editor adds each line; a message may be several, and is what somebody wants to have again.
  /** The line editor waits, unseen, while a search has its row. */
  function search(): void {
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
      if (found.is_sent) input.write("\r")
    })
    show()
  }

  let recalled: string[] = []
  const recall = () => void recalled.splice(0, recalled.length, ...history.entries)
  editor.on("history", (lines) => {
    recalled = lines
    recall()
  })
  const typed = openQueue<Typed>()
  editor.on("line", (line) => typed.push({ line }))
  editor.on("close", () => typed.push("leave"))
  editor.on("SIGINT", () => {
    if (editor.line === "") typed.push("interrupt")
    else clear(editor)
  })

  const resume = () => {
    process.stdin.setRawMode(true)
    process.stdout.write(paste_on)
    editor.prompt(true)
  }
  // Ctrl-Z: the shell gets its terminal as it was, and `fg` brings the line back.
  editor.on("SIGTSTP", () => {
    process.stdout.write(paste_off)
    process.stdin.setRawMode(false)
    process.once("SIGCONT", resume)
    process.kill(process.pid, "SIGTSTP")
  })

  async function askLine(prompt: string): Promise<string | undefined> {
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

  return {
    async ask(prompt) {
      keys.release()
      let message = await askLine(prompt)
      while (message?.endsWith("\\")) {
        const more = await askLine("… ")
        message = more === undefined ? undefined : message.slice(0, -1) + line_end + more
      }
      if (message?.trim()) await history.add(message)
      recall()
      return message === undefined ? undefined : toLines(message)
    },
    async during(work, onInterrupt) {
      keys.hold(onInterrupt)
      return await work
    },
    [Symbol.dispose]() {
      editor.close()
      process.off("SIGCONT", resume)
      process.stdin.off("data", feed)
      process.stdout.write(paste_off)
      process.stdin.setRawMode(false)
      process.stdin.pause()
    },
  }
}

/** What the line editor tells. It does not wait until somebody asks. */
type Typed = { line: string } | "interrupt" | "leave"

function clear(editor: Interface): void {
  editor.write(null, { ctrl: true, name: "e" })
  editor.write(null, { ctrl: true, name: "u" })
}
