import { StringDecoder } from "node:string_decoder"
import { harmless } from "../text.ts"

/**
 * Stands for a line end inside a line: the line editor of Node knows single lines only, and shows this as one
 * character. It is a line end again when the line is taken.
 */
export const line_end = "\u23ce"

export const toLines = (typed: string): string => typed.replaceAll(line_end, "\n")

export type Keys = {
  feed(chunk: Buffer): void
  /** While busy, Ctrl-C goes to the caller, and what else is typed waits. */
  hold(onInterrupt: () => void): void
  release(): void
  /**
   * While busy: what is typed from now on goes there, and not to the prompt, until it is undefined. What was typed
   * before was not typed in answer to anything, and waits as it did.
   */
  question(taker: ((text: string) => void) | undefined): void
  /** Passes single keys to somebody else than the line editor, until he is undefined. */
  divert(taker: ((key: string) => void) | undefined): void
}

export const paste_begin = "\u001b[200~"
export const paste_end = "\u001b[201~"
const interrupt = "\u0003"
/** Alt-Enter, and Shift-Enter where the terminal can tell. */
const soft_enters = ["\u001b\r", "\u001b\n", "\u001b[13;2u", "\u001b[27;2;13~"]

/** What is between the terminal and the line editor, which `write` feeds: a paste and Alt-Enter do not send the line. */
export function openKeys(write: (keys: string) => void): Keys {
  const decoder = new StringDecoder("utf8")
  let is_pasting = false
  let held = ""
  let carry = ""
  let onInterrupt: (() => void) | undefined
  let taker: ((key: string) => void) | undefined
  let asked: ((text: string) => void) | undefined

  /** One piece for readline at a time: a chunk with several keys counts as pasted there and completes nothing. */
  function pass(text: string): void {
    let rest = carry + text
    carry = ""
    while (rest !== "") {
      if (is_pasting) {
        rest = paste(rest)
        continue
      }
      const soft = soft_enters.find((sequence) => rest.startsWith(sequence))
      if (rest.startsWith(paste_begin)) {
        is_pasting = true
        rest = rest.slice(paste_begin.length)
      } else if (soft) {
        write(line_end)
        rest = rest.slice(soft.length)
      } else {
        const key = firstKey(rest)
        if (taker) taker(key)
        else write(key)
        rest = rest.slice(key.length)
      }
    }
  }

  /** Takes what was pasted up to its end, and returns what comes after it. */
  function paste(text: string): string {
    const { pasted, loose, after } = cutPaste(text)
    is_pasting = after === undefined
    carry = loose
    if (pasted !== "") write(harmless(pasted).replaceAll("\n", line_end).replaceAll("\t", "  "))
    return after ?? ""
  }

  return {
    feed(chunk) {
      const text = decoder.write(chunk)
      if (!onInterrupt) return pass(text)
      for (const [index, part] of text.split(interrupt).entries()) {
        if (index > 0) onInterrupt()
        if (asked) asked(part)
        else held += part
      }
    },
    question(wanted) {
      asked = wanted
    },
    divert(wanted) {
      taker = wanted
    },
    hold(callback) {
      onInterrupt = callback
    },
    release() {
      onInterrupt = undefined
      asked = undefined
      const text = held
      held = ""
      pass(text)
    },
  }
}

/** `after` is undefined while the paste goes on; `loose` may begin its end, or a line end of two characters. */
function cutPaste(text: string): { pasted: string; loose: string; after: string | undefined } {
  const end = text.indexOf(paste_end)
  if (end !== -1) return { pasted: text.slice(0, end), loose: "", after: text.slice(end + paste_end.length) }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
  const cut = text.search(/(\u001b[[\d]*|\r)$/)
  const pasted = cut === -1 ? text : text.slice(0, cut)
  return { pasted, loose: text.slice(pasted.length), after: undefined }
}

/** An escape sequence, or a run of plain characters, or one control character. */
export function firstKey(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
  return /^(\u001b(\[[\d;]*[ -/]*[@-~]|O.|.)?|[^\u0000-\u001f\u007f]+|[\s\S])/u.exec(text)?.[0] ?? text
}
