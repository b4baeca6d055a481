import { posix } from "node:path"
import {
  commandMatch,
  type Match,
  matchesHost,
  matchesText,
  namesLocal,
  pathMatcher,
  specificity,
  splitHost,
} from "./patterns.ts"
import { below, realPath } from "./real-path.ts"
import type { Effect, Target } from "./target.ts"

export type Verdict = "allow" | "ask" | "deny"

/** `rule` says why, for the record and for people: 'deny "exec:rm"', "no rule", "the default". */
export type Decision = { verdict: Verdict; rule: string }

export type Permissions = Readonly<Partial<Record<Verdict, readonly string[]>>>

/** What the rules have to know about a tool. */
export type RuledTool = {
  name: string
  effect: Effect
  group?: string
  /** Another name of the same tool, as good as the first. */
  alias?: string
  /** What patterns about it may mean, where that does not follow from its effect. */
  kinds?: readonly Target["kind"][]
}

/**
 * What an agent may do. A rule is "subject" or "subject:pattern"; its subject is a tool, a group of tools, an effect or "*" for all.
 *
 * - Without any rule reading the workspace is allowed and everything else asks.
 * - With rules the most specific one that matches wins: with a pattern before without, without wildcards before with,
 *   more literal characters before fewer; a tool before a group before an effect before "*"; deny before ask before allow.
 *   Where none matches the answer is deny. A rule without a pattern covers whatever the walls let through.
 * - Patterns are compared with what the target is: a path, a host, a command or plain text. Those of a tool or a group
 *   only with targets of its own kind: "exec:git*" says nothing about the file into which a command writes.
 * - What cannot be known before it happens (an `opaque` target, a word that is null) is never allowed without asking
 *   by a rule that it might not meet: the strictest of the rules that may be meant holds. A rule that denies a
 *   program holds wherever its name stands in an opaque command, however specific others are.
 */
export type Rules = {
  decide(tool: string, target: Target): Decision
  /**
   * Whether a rule that allows or asks names this very host, without a wildcard, and its port if it is a public name: then
   * an address of this machine or of its networks is meant. `tool` narrows it to the rules that hold for that tool.
   */
  isOpened(host: string, port: number, tool?: string): boolean
}

type Rule = { verdict: Verdict; text: string; subject: string; pattern?: string; place: Place }
/** What a pattern means as one of paths. */
type Place = { isAt(path: string): boolean; rank: number }
type Ranked = { rule: Rule; match: Match; rank: number[] }

/** Longer than any path, host or command line of good faith, and short enough to compare with a thousand rules. */
const text_chars_max = 65_536

/** `workspace` is absolute: what paths that are relative start from. */
export function parseRules(
  permissions: Permissions | undefined,
  tools: readonly RuledTool[],
  workspace?: string,
): Rules {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  const names = tools.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]))
  const rules = strictness.flatMap((verdict) =>
    (permissions?.[verdict] ?? []).map((text) => parseRule(verdict, text, names, workspace)),
  )
  return {
    decide(name, target) {
      if (rules.length === 0) return byDefault(target)
      if (target.text.length > text_chars_max)
        return { verdict: "deny", rule: "longer than a rule can judge" }
      const tool = byName.get(name) ?? { name, effect: target.effect }
      const decision = strictest(rules.flatMap((rule) => rankOf(rule, tool, target)))
      if (!target.opaque || decision.verdict === "deny") return decision
      const named = rules.find((rule) => rule.verdict === "deny" && isNamedIn(rule, tool, target))
      if (named) return said(named)
      // An allowing rule cannot see all that it would allow.
      return { ...decision, verdict: "ask" }
    },
    isOpened(host, port, name) {
      const tool = name === undefined ? undefined : (byName.get(name) ?? { name, effect: "network" as const })
      return rules.some(
        ({ verdict, subject, pattern }) =>
          verdict !== "deny" &&
          pattern !== undefined &&
          namesLocal(pattern) &&
          matchesHost(pattern, host, port) &&
          (tool ? [tool] : [...tools, { name: "", effect: "network" as const }]).some(
            (one) => one.effect === "network" && subjectRank(subject, one, "network") > 0,
          ),
      )
    },
  }
}

const strictness: Verdict[] = ["deny", "ask", "allow"]

/** The tools' names go first, as those of plugins may have a colon. */
function parseRule(
  verdict: Verdict,
  text: string,
  names: readonly string[],
  workspace: string | undefined,
): Rule {
  const named = names.filter((name) => text === name || text.startsWith(`${name}:`))
  const subject = named.sort((a, b) => b.length - a.length)[0] ?? text.split(":", 1)[0]!
  const rest = text.slice(subject.length + 1).trim()
  const rule = { verdict, text, subject: subject.trim(), place: toPlace(verdict, rest, workspace) }
  return text.length > subject.length ? { ...rule, pattern: rest } : rule
}

/**
 * An absolute pattern for something in the workspace is the same as a relative one. What is denied is denied over every
 * link to it; what is allowed would grow with a link that somebody makes.
 */
function toPlace(verdict: Verdict, pattern: string, workspace: string | undefined): Place {
  if (!/^(\/|\.\.(\/|$))/.test(pattern)) return { isAt: pathMatcher(pattern), rank: specificity(pattern) }
  const absolute = posix.resolve(workspace ?? "/", pattern)
  const folders = workspace === undefined ? [] : [workspace, realPath(workspace)]
  const [relative] = folders.flatMap((folder) => below(folder, absolute) ?? [])
  const isMeant = pathMatcher(relative ?? absolute)
  const rank = specificity(relative ?? absolute)
  if (verdict !== "deny") return { isAt: isMeant, rank }
  const real = realPattern(absolute)
  const [isSpelled, isReally] = [pathMatcher(absolute), pathMatcher(real)]
  const isAt = (path: string) => {
    const paths = path.startsWith("/") ? [path] : folders.map((folder) => posix.join(folder, path))
    return isMeant(path) || paths.some((one) => isSpelled(one) || isReally(one))
  }
  return { isAt, rank: Math.max(rank, specificity(real)) }
}

/** The links before the first wildcard are followed. */
function realPattern(absolute: string): string {
  const [fixed = ""] = absolute.split(/(?<=\/)(?=[^/]*[*?])/, 1)
  return posix.join(realPath(fixed), absolute.slice(fixed.length))
}

function byDefault(target: Target): Decision {
  const { effect, kind, text } = target
  const inside = kind === "path" && !text.startsWith("/") && !text.split("/").includes("..")
  return { verdict: effect === "read" && inside ? "allow" : "ask", rule: "the default" }
}

function rankOf(rule: Rule, tool: RuledTool, target: Target): Ranked[] {
  const subject = subjectRank(rule.subject, tool, target.effect)
  if (subject === 0) return []
  const { pattern } = rule
  if (pattern === undefined) return [{ rule, match: "certain", rank: [0, 0, subject] }]
  if (!isOfKind(rule, tool, target)) return []
  const match = matchOf(rule, pattern, target)
  if (match === "none") return []
  const special = target.kind === "path" ? rule.place.rank : specificity(pattern)
  return [{ rule, match, rank: [1, special, subject] }]
}

/** Whether the rule's pattern is about things such as the target. */
function isOfKind({ subject }: Rule, tool: RuledTool, { effect, kind }: Target): boolean {
  const own = tool.kinds ?? kinds[tool.effect]
  return subjectRank(subject, tool, effect) <= 2 || own === undefined || own.includes(kind)
}

/** What a tool's patterns are about. */
const kinds: Partial<Record<Effect, readonly Target["kind"][]>> = {
  read: ["path"],
  write: ["path"],
  execute: ["program"],
  network: ["host"],
}

function subjectRank(subject: string, { name, alias, group }: RuledTool, effect: Effect): number {
  if (subject === name || subject === alias) return 4
  if (subject === group) return 3
  if (subject === effect) return 2
  return subject === "*" ? 1 : 0
}

function matchOf({ place, verdict }: Rule, pattern: string, target: Target): Match {
  const { kind, text, words = [], script, elsewhere } = target
  if (kind === "program") {
    const own = script && words[0]?.endsWith(`/${script.path}`) ? script.path : undefined
    const ways = verdict === "deny" ? waysOf(pattern, words) : [{ pattern, words }]
    const found = ways.map((way) => commandMatch(way.pattern, way.words, own))
    const match = (["certain", "possible"] as const).find((one) => found.includes(one)) ?? "none"
    // Another program of the same name is not what an allowing rule means, and may be what a denying one does.
    const by_name = !firstOf(pattern).includes("/")
    return match === "certain" && elsewhere && by_name ? "possible" : match
  }
  const matches = kind === "path" ? place.isAt(text) : matchesOther(kind, pattern, text)
  return matches ? "certain" : "none"
}

/** A denied path of a program is denied over whichever links the program is called. */
function waysOf(pattern: string, words: NonNullable<Target["words"]>) {
  const [first, [program, ...args]] = [firstOf(pattern), words]
  if (!first.startsWith("/") || !program?.startsWith("/")) return [{ pattern, words }]
  const inRealFolder = (path: string) => posix.join(realPattern(posix.dirname(path)), posix.basename(path))
  const patterns = [pattern, inRealFolder(first) + pattern.slice(first.length)]
  const programs = [program, inRealFolder(program), realPath(program)]
  return patterns.flatMap((pattern) => programs.map((one) => ({ pattern, words: [one, ...args] })))
}

const firstOf = (pattern: string): string => pattern.trim().split(/\s+/, 1)[0]!

/** More than a person writes into one command. */
const names_max = 4096

/** Whether the rule's program stands anywhere in a command of which it is not known what it would run. */
function isNamedIn(rule: Rule, tool: RuledTool, target: Target): boolean {
  const { pattern } = rule
  if (pattern === undefined || target.kind !== "program") return false
  if (subjectRank(rule.subject, tool, target.effect) === 0 || !isOfKind(rule, tool, target)) return false
  const names = new Set((target.words ?? []).slice(1).flatMap((word) => word?.split(/[^\w./+-]+/) ?? []))
  if (names.size > names_max) return true
  const program = firstOf(pattern)
  return [...names].some((name) => name !== "" && commandMatch(program, [name]) === "certain")
}

function matchesOther(kind: Target["kind"], pattern: string, text: string): boolean {
  if (kind === "text") return matchesText(pattern, text)
  const { name, port } = splitHost(text)
  return matchesHost(pattern, name, Number(port ?? Number.NaN))
}

/** From the most specific one down to the first that holds for certain; of these the strictest. */
function strictest(found: Ranked[]): Decision {
  const meant: Rule[] = []
  let certain = false
  for (const { rule, match } of found.toSorted(bySpecificity)) {
    if (match === "possible" && rule.verdict === "allow") continue
    meant.push(rule)
    certain = match === "certain"
    if (certain) break
  }
  const rule = strictness.flatMap((verdict) => meant.find((one) => one.verdict === verdict) ?? [])[0]
  // Where only some of what it may become is ruled, the rest has no rule, which means deny.
  if (!rule || !certain) return rule?.verdict === "deny" ? said(rule) : { verdict: "deny", rule: "no rule" }
  return said(rule)
}

const said = ({ verdict, text }: Rule): Decision => ({ verdict, rule: `${verdict} ${JSON.stringify(text)}` })

function bySpecificity(a: Ranked, b: Ranked): number {
  const index = a.rank.findIndex((value, at) => value !== b.rank[at])
  if (index >= 0) return b.rank[index]! - a.rank[index]!
  return strictness.indexOf(a.rule.verdict) - strictness.indexOf(b.rule.verdict)
}
