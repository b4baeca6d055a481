/**
 * Walks the tree of a shell string. Only what is known to mean the same to the parser and to the shells is taken;
 * everything else is a reason not to trust the reading.
 */
import type { Node } from "web-tree-sitter"
import { isHarmlessVariable, readBuiltin } from "./builtins.ts"
import { reserved, type ShellReading, type Words } from "./shell.ts"
import { collect, refuse, type Walk, wordOf } from "./values.ts"

const depth_max = 60

export function walkShell(root: Node, text: string): ShellReading {
  const reading: ShellReading = { commands: [], writes: [], reads: [] }
  const walk: Walk = { text, reading, depth: 0, heredocs: 0, substitution: walkStatement }
  if (root.hasError) refuse(walk, "it is not a whole shell command")
  if (text.includes("$[")) refuse(walk, "it calculates")
  walkStatement(walk, root)
  return reading
}

/** What joins commands and does nothing else. */
const joints = new Set(
  [";", "&", "&&", "||", "|", "|&", "(", ")", "{", "}", "\n", ";;", "!", "$(", "`", "<(", ">("].concat(
    "if then elif else fi while until do done for in case esac".split(" "),
  ),
)

const groups = new Set(
  (
    "program list pipeline subshell compound_statement if_statement elif_clause else_clause while_statement " +
    "do_group negated_command redirected_statement command_substitution process_substitution"
  ).split(" "),
)

function walkStatement(outer: Walk, node: Node): void {
  const walk = { ...outer, depth: outer.depth + 1 }
  if (walk.depth > depth_max) return void refuse(walk, "it is nested too deeply")
  checkGaps(walk, node)
  const special = statements[node.type]
  if (special) special(walk, node)
  else if (groups.has(node.type)) walkParts(walk, node)
  else refuse(walk, `it has a part that is not understood (${node.type.replaceAll("_", " ").slice(0, 40)})`)
  // The walk is a copy for the depth; its count of here-documents is the whole string's.
  outer.heredocs = walk.heredocs
}

function walkParts(walk: Walk, node: Node): void {
  for (const child of node.children) {
    if (child.isNamed) walkStatement(walk, child)
    else if (!joints.has(child.type)) refuse(walk, `it has a part that is not understood (${child.type})`)
    else if (child.type === "|&") walk.reading.bash = true
  }
}

/** Between the parts of one command there is nothing but blanks; between commands, line ends as well. */
function checkGaps(walk: Walk, node: Node): void {
  const allowed = one_line.has(node.type) ? /^[ \t]*$/ : /^[ \t\n]*$/
  let end = node.startIndex
  for (const child of node.children) {
    if (!allowed.test(walk.text.slice(end, child.startIndex)))
      refuse(walk, "it can be read in more than one way")
    end = Math.max(end, child.endIndex)
  }
  if (node.childCount > 0 && !allowed.test(walk.text.slice(end, node.endIndex))) {
    refuse(walk, "it can be read in more than one way")
  }
}

const one_line = new Set(
  "command command_name test_command file_redirect herestring_redirect variable_assignment variable_assignments".split(
    " ",
  ),
)

const statements: Record<string, (walk: Walk, node: Node) => void> = {
  command: walkCommand,
  comment: (walk, node) => {
    const before = walk.text[node.startIndex - 1] ?? "\n"
    if (!/[\s;]/.test(before) || node.text.includes("\n")) refuse(walk, "a comment may be none")
  },
  variable_assignment: (walk, node) => walkAssignment(walk, node, /^[a-z_][a-z0-9_]*$/),
  variable_assignments: (walk, node) => {
    for (const child of node.children) walkAssignment(walk, child, /^[a-z_][a-z0-9_]*$/)
  },
  file_redirect: walkRedirect,
  heredoc_redirect: walkHeredoc,
  herestring_redirect: (walk, node) => {
    walk.reading.bash = true
    for (const child of node.children.slice(1)) wordOf(walk, child)
  },
  for_statement: walkFor,
  case_statement: walkCase,
  case_item: walkCase,
  test_command: walkTest,
  function_definition: (walk, node) => {
    refuse(walk, "it defines a function")
    const body = node.childForFieldName("body")
    if (body) walkStatement(walk, body)
  },
  declaration_command: (walk, node) => collect(walk, node, "it changes what variables mean"),
  unset_command: (walk, node) => collect(walk, node, "it changes what variables mean"),
  c_style_for_statement: (walk, node) => collect(walk, node, "it calculates"),
}

function walkCommand(walk: Walk, node: Node): void {
  const words: Words = []
  for (const child of node.children) {
    if (child.type === "command_name") {
      if (child.childCount !== 1 || reserved.has(child.text))
        refuse(walk, "a word of the shell stands for a program")
      words.push(wordOf(walk, child.children[0] ?? child))
    } else if (child.type === "variable_assignment") walkAssignment(walk, child, undefined)
    else if (child.type === "file_redirect" || child.type === "herestring_redirect")
      walkStatement(walk, child)
    else if (words.length === 0) refuse(walk, `it has a part that is not understood (${child.type})`)
    else words.push(wordOf(walk, child))
  }
  if (words.length > 0) addCommand(walk, words, node.children.some(isUnquoted))
}

function addCommand(walk: Walk, words: Words, splits: boolean): void {
  if (words[0] === null || words[0] === undefined || words[0] === "")
    return void refuse(walk, "a program's name is known only when it runs")
  const builtin = readBuiltin(words, splits)
  if (builtin === "changes_folder") walk.reading.wanders = true
  else if (builtin === "program") walk.reading.commands.push({ words })
  else if (builtin === "launches") addCommand(walk, words.slice(1), splits)
  else if (builtin !== "silent") refuse(walk, builtin.refused)
}

/** Whether it may become several words. */
const isUnquoted = ({ type }: Node): boolean =>
  ["simple_expansion", "expansion", "command_substitution", "concatenation", "brace_expression"].includes(
    type,
  )

/** `names` is for the shell's own variables; without it the program gets them, and only harmless ones are understood. */
function walkAssignment(walk: Walk, node: Node, names: RegExp | undefined): void {
  const [name, operator, value, ...more] = node.children
  if (node.type !== "variable_assignment" || name?.type !== "variable_name" || more.length > 0) {
    return void collect(walk, node, "it assigns in a way that is not understood")
  }
  if (operator?.type === "+=") walk.reading.bash = true
  if (!isHarmlessVariable(name.text) && !names?.test(name.text)) {
    refuse(walk, `it sets ${name.text.slice(0, 40)}, which may change what programs do`)
  }
  if (value) wordOf(walk, value)
}

function walkRedirect(walk: Walk, node: Node): void {
  const { reading } = walk
  const parts = node.children.filter(({ type }) => type !== "file_descriptor")
  const [operator, destination, ...more] = parts
  if (!operator || !destination || more.length > 0)
    return void collect(walk, node, "a redirection is not understood")
  const path = wordOf(walk, destination)
  if (path === null) return void refuse(walk, "where it reads or writes is known only when it runs")
  if (/^[<>]&$/.test(operator.type) && /^(\d+-?|-)$/.test(path)) return
  if (operator.type.includes("&")) reading.bash = true
  if (/^\/+dev\/+(tcp|udp)\b/.test(path)) return void refuse(walk, "it opens a connection")
  // After ">&" bash takes a word that is no number apart twice, so that a substitution in single quotes runs.
  if (!/^(<|>|>>|>\||&>|&>>)$/.test(operator.type))
    return void refuse(walk, "a redirection is not understood")
  if (harmless_files.has(path)) return
  if (operator.type === "<") reading.reads.push(path)
  else reading.writes.push(path)
}

const harmless_files = new Set(["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin"])

/** Where it ends is looked for once more, as everything after it depends on that. */
function walkHeredoc(walk: Walk, node: Node): void {
  const { text } = walk
  const start = node.children.find(({ type }) => type === "heredoc_start")
  const end = node.children.find(({ type }) => type === "heredoc_end")
  const body = node.children.find(({ type }) => type === "heredoc_body")
  const [, quote, name] = /^(['"]?)([A-Za-z_]\w*)\1$/.exec(start?.text ?? "") ?? []
  const strip = node.children.some(({ type }) => type === "<<-")
  walk.heredocs += 1
  for (const child of node.children) {
    const own =
      child.type.startsWith("heredoc_") || child.type.startsWith("<<") || child.type === "file_descriptor"
    if (!own && child.isNamed) walkStatement(walk, child)
    else if (!own && !joints.has(child.type)) refuse(walk, "a here-document is not understood")
  }
  if (!start || name === undefined || walk.heredocs > 1)
    return void refuse(walk, "a here-document is not understood")
  const line_end = text.indexOf("\n", start.endIndex)
  if (line_end < 0 || /['"`\\()<#]/.test(text.slice(start.endIndex, line_end))) {
    return void refuse(walk, "a here-document is not understood")
  }
  const lines = text.slice(line_end + 1).split("\n")
  const index = lines.findIndex((line) => (strip ? line.replace(/^\t+/, "") : line) === name)
  const length = lines.slice(0, index).join("\n").length + (index > 0 ? 1 : 0)
  const found_end = line_end + 1 + length + (lines[index]?.length ?? 0)
  if (index < 0 || end?.endIndex !== found_end) return void refuse(walk, "a here-document is not understood")
  if (quote === "" && /[`\\]|\$[^A-Za-z_ \n]/.test(text.slice(line_end + 1, line_end + 1 + length))) {
    collect(walk, body ?? node, "a here-document is not only text")
  }
}

function walkFor(walk: Walk, node: Node): void {
  for (const child of node.children) {
    if (child.type === "variable_name") {
      if (!/^[a-z_][a-z0-9_]*$/.test(child.text)) refuse(walk, "it sets a variable that programs may read")
    } else if (child.type === "do_group") walkStatement(walk, child)
    else if (child.isNamed) wordOf(walk, child)
    else if (!joints.has(child.type)) refuse(walk, `it has a part that is not understood (${child.type})`)
  }
}

function walkCase(walk: Walk, node: Node): void {
  for (const [index, child] of node.children.entries()) {
    if (node.fieldNameForChild(index) === "value") {
      if (child.type !== "extglob_pattern") wordOf(walk, child)
      else if (!/^[\w.*?[\]/:@%+,=-]+$/.test(child.text)) refuse(walk, "a pattern is not understood")
    } else if (child.isNamed) walkStatement(walk, child)
    else if (!joints.has(child.type)) refuse(walk, `it has a part that is not understood (${child.type})`)
  }
}

/** `[ … ]` and `[[ … ]]`. Numbers are calculated there, and a calculation can run programs. */
function walkTest(walk: Walk, node: Node): void {
  const doubled = node.text.startsWith("[[")
  if (doubled) walk.reading.bash = true
  const risky = doubled ? /\s-(v|R|o|eq|ne|lt|gt|le|ge)\s/ : /\s-[vR]\s|[<>()|&;]/
  if (risky.test(node.text)) refuse(walk, "it tests in a way that may run something")
  const visit = (at: Node, depth: number): void => {
    if (depth > depth_max) return void refuse(walk, "it is nested too deeply")
    for (const child of at.children) {
      const { type } = child
      if (/_expression$/.test(type)) visit(child, depth + 1)
      else if (type === "regex" || type === "extglob_pattern") {
        if (!/^[\w.*?[\]/:@%+,=^-]+\$?$/.test(child.text)) refuse(walk, "a pattern is not understood")
      } else if (child.isNamed && type !== "test_operator") {
        wordOf(walk, child)
        if (!doubled && isUnquoted(child)) refuse(walk, "it tests in a way that may run something")
      }
    }
  }
  visit(node, 0)
}
