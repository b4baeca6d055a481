import { firstKey, type Keys, paste_begin, paste_end } from "./keys.ts"

const backspaces = ["\u007f", "\b"]
const line_ends = ["\r", "\n"]
/** No answer is longer; what comes beyond it is none. */
const chars_max = 20

/**
 * One short line, typed key by key. What is pasted does not count: it was not written as the answer to this. Undefined
 * where the signal ends the question first.
 */
export function readAnswer(
  keys: Pick<Keys, "question">,
  show: (typed: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let typed = ""
  let is_pasting = false
  const end = (line: string | undefined) => {
    keys.question(undefined)
    signal.removeEventListener("abort", stop)
    resolve(line)
  }
  const stop = () => end(undefined)
  signal.addEventListener("abort", stop, { once: true })
  if (signal.aborted) stop()
  else {
    keys.question((text) => {
      for (let rest = text; rest !== ""; ) {
        const key = firstKey(rest)
        rest = rest.slice(key.length)
        if (key === paste_begin || key === paste_end) is_pasting = key === paste_begin
        else if (is_pasting) continue
        else if (line_ends.includes(key)) return end(typed)
        else if (backspaces.includes(key)) typed = [...typed].slice(0, -1).join("")
        else if (key >= " ") typed = (typed + key).slice(0, chars_max)
      }
      show(typed)
    })
    show("")
  }
  return promise
}
