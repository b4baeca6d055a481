/** What a word of a shell string is, where that can be told before it runs. */
import type { Node } from "web-tree-sitter"
import type { ShellReading } from "./shell.ts"

export type Walk = {
  text: string
  reading: ShellReading
  depth: number
  heredocs: number
  /** Reads what a substitution would run. */
  substitution(walk: Walk, node: Node): void
}

export function refuse({ reading }: Walk, reason: string): null {
  reading.opaque ??= reason
  return null
}

/** Commands in the parts of something that is not trusted anyway, for the rules that forbid. */
export function collect(walk: Walk, node: Node, reason: string): null {
  refuse(walk, reason)
  const found = node.descendantsOfType(["command_substitution", "process_substitution", "do_group"])
  for (const child of found) if (child && isOutermost(child, node)) walk.substitution(walk, child)
  return null
}

function isOutermost(child: Node, top: Node): boolean {
  for (let at = child.parent; at && at.id !== top.id; at = at.parent) {
    if (at.type === "command_substitution" || at.type === "process_substitution") return false
  }
  return true
}

/** null where only the run shows it. */
export function wordOf(walk: Walk, node: Node): string | null {
  const value = values[node.type]
  return value
    ? value(walk, node)
    : collect(walk, node, `a word is not understood (${node.type.slice(0, 40)})`)
}

const values: Record<string, (walk: Walk, node: Node) => string | null> = {
  word: bareWord,
  number: bareWord,
  variable_name: bareWord,
  test_operator: bareWord,
  raw_string: (walk, { text }) =>
    /^'[^']*'$/.test(text) ? text.slice(1, -1) : refuse(walk, "a quote is not understood"),
  string: quoted,
  concatenation: joined,
  simple_expansion: (walk, { text }) =>
    /^\$([A-Za-z_]\w*|[@*#?$!0-9-])$/.test(text) ? null : refuse(walk, "a variable is not understood"),
  expansion: (walk, node) =>
    harmless.test(node.text) ? null : collect(walk, node, "a variable is changed or chosen"),
  command_substitution: substituted,
  process_substitution: (walk, node) => {
    walk.reading.bash = true
    return substituted(walk, node)
  },
  // With names in it the calculation could run what is in them.
  arithmetic_expansion: (walk, node) =>
    /^\$\(\([\d\s+*/%-]+\)\)$/.test(node.text)
      ? null
      : collect(walk, node, "it calculates with more than numbers"),
  brace_expression: (walk, { text }) => {
    walk.reading.bash = true
    return /^\{\w+\.\.\w+\}$/.test(text) ? null : refuse(walk, "braces are not understood")
  },
}

/** `${x}`, `${#x}`, a plain word for where it is missing, or plain text that is cut off. */
const harmless =
  /^\$\{(#?[A-Za-z_]\w*|[@*#?$!0-9-]|[A-Za-z_]\w*(:?[-+][\w./:@%+,-]*|(##?|%%?)[\w.*?/:@+,-]+))\}$/

/** A pair with nothing in it, as find and xargs know it, stands for itself. */
const empty_braces = /^[\w./:@%+=-]*\{\}[\w./:@%+=-]*$/

function bareWord(walk: Walk, { text, childCount }: Node): string | null {
  if (childCount > 0 || !/^(?:[^\s;&|<>()$`"'\\]|\\[^\n])+$/.test(text)) {
    return refuse(walk, "a word is not understood")
  }
  if (empty_braces.test(text)) return text
  // The shell takes {name}>file for an assignment.
  if (/^\{\w+\}$/.test(text)) return refuse(walk, "braces are not understood")
  const bare = text.replaceAll(/\\[^\n]/g, "")
  if (/[*?[\]{}~]/.test(bare)) return null
  return text.replaceAll(/\\([^\n])/g, "$1")
}

function quoted(walk: Walk, node: Node): string | null {
  const { text } = node
  if (!/^"[\s\S]*"$/.test(text) || text.length < 2) return refuse(walk, "a quote is not understood")
  const inner = text.slice(1, -1)
  if (!/[$`]/.test(inner)) {
    return /^(?:[^"\\]|\\[\s\S])*$/.test(inner)
      ? inner.replaceAll(/\\(["\\])/g, "$1")
      : refuse(walk, "a quote is not understood")
  }
  let known = true
  let value = ""
  let end = node.startIndex + 1
  for (const child of node.children.slice(1, -1)) {
    // The parser may leave blanks out.
    if (child.startIndex !== end) known = false
    end = child.endIndex
    if (child.type === "string_content" || child.type === "$") {
      if (!/^(?:[^"\\`$]|\\[\s\S]|\$(?![({[]))*$/.test(child.text))
        return refuse(walk, "a quote is not understood")
      value += child.text.replaceAll(/\\(["\\$`])/g, "$1")
    } else {
      known = false
      wordOf(walk, child)
    }
  }
  return known ? value : null
}

function joined(walk: Walk, node: Node): string | null {
  if (empty_braces.test(node.text)) return node.text
  let value: string | null = ""
  let end = node.startIndex
  for (const child of node.children) {
    if (child.startIndex !== end) return refuse(walk, "a word is not understood")
    end = child.endIndex
    const part = partOf(walk, child)
    value = part === null || value === null ? null : value + part
  }
  return value
}

/** A brace that has no meaning alone is a part of a word. */
function partOf(walk: Walk, child: Node): string | null {
  if (child.isNamed) return wordOf(walk, child)
  return /^[{},]$/.test(child.text) ? null : refuse(walk, "a word is not understood")
}

function substituted(walk: Walk, node: Node): null {
  // Within backquotes a backslash means something else than elsewhere.
  if (node.text.startsWith("`") && node.text.includes("\\"))
    refuse(walk, "a backslash stands within backquotes")
  walk.substitution(walk, node)
  return null
}
