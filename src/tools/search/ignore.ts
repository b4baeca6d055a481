import { type Matcher, toMatcher } from "./automaton.ts"
import { parseGlob } from "./glob.ts"

/** What a folder's .gitignore says of what is below that folder; undefined where it says nothing. */
export type Ignore = {
  says(path: string, name: string, is_folder: boolean): "ignored" | "kept" | undefined
  /** How many machines it holds: a hostile tree must not have one for each line of each of its folders. */
  machines: number
}

type Rule = { keeps: boolean; folders_only: boolean; order: number }

const rules_max = 5_000
const rule_length_max = 500
/** Of one machine. Names are short, so few states are ever needed. */
const machine_bytes_max = 32_768

/**
 * Reads a .gitignore as git does. Nearly all rules are a name or an ending: those are looked up, so that many rules cost
 * a file no more than few. The others need a machine each: after `machines_max` of them they are left out.
 */
export function parseIgnore(text: string, machines_max: number): Ignore {
  const names = new Map<string, Rule[]>()
  const endings = new Map<string, Rule[]>()
  const globs: { rule: Rule; match: Matcher; whole: boolean }[] = []
  const put = (map: Map<string, Rule[]>, key: string, rule: Rule) =>
    map.set(key, [...(map.get(key) ?? []), rule])

  for (const [order, line] of text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .slice(0, rules_max)
    .entries()) {
    const parsed = parseLine(line, order)
    if (!parsed) continue
    const { glob, rule, anchored } = parsed
    if (!anchored && !/[*?[\\]/.test(glob)) put(names, glob, rule)
    else if (!anchored && /^\*\.[^*?[\\.]+$/.test(glob)) put(endings, glob.slice(1), rule)
    else if (globs.length < machines_max) {
      const node = parseGlob(glob, { braces: false })
      const match = toMatcher(node, { lines: false, bytes_max: machine_bytes_max })
      globs.push({ rule, match, whole: anchored })
    }
  }

  const says: Ignore["says"] = (path, name, is_folder) => {
    let last: Rule | undefined
    const consider = (rule: Rule) => {
      if ((is_folder || !rule.folders_only) && rule.order >= (last?.order ?? 0)) last = rule
    }
    names.get(name)?.forEach(consider)
    const dot = name.lastIndexOf(".")
    if (dot >= 0) endings.get(name.slice(dot))?.forEach(consider)
    if (globs.length > 0) {
      const [path_bytes, name_bytes] = [Buffer.from(path), Buffer.from(name)]
      for (const { rule, match, whole } of globs) {
        const bytes = whole ? path_bytes : name_bytes
        if (match(bytes, 0, bytes.length) !== -1) consider(rule)
      }
    }
    return last && (last.keeps ? "kept" : "ignored")
  }
  return { says, machines: globs.length }
}

function parseLine(line: string, order: number) {
  if (line.startsWith("#") || line.length > rule_length_max) return undefined
  // A space at the end counts only where it is escaped.
  let glob = line.replace(/(?<!\\)[ \t]+$/, "")
  const keeps = glob.startsWith("!")
  if (keeps) glob = glob.slice(1)
  const folders_only = glob.endsWith("/")
  if (folders_only) glob = glob.slice(0, -1)
  // A slash anywhere but at the end ties it to the folder of the file.
  const anchored = glob.includes("/")
  if (glob.startsWith("/")) glob = glob.slice(1)
  return glob === "" ? undefined : { glob, anchored, rule: { keeps, folders_only, order } }
}
