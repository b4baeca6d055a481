import type { ArgDef, ArgsDef, CommandDef } from "citty"
import { nearest } from "../config/nearest.ts"

/** What a person typed wrong; exits with 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "UsageError"
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a tree of commands forgets each one's arguments.
export type AnyCommand = CommandDef<any>
export type Found = { path: string[]; command: AnyCommand; args: string[] }

/**
 * Follows the names in the arguments down the tree, loading only what is on the way. Flags may stand before a
 * name. `default_name` is the command for no name at all.
 */
export async function findCommand(root: AnyCommand, raw: string[], default_name?: string): Promise<Found> {
  let command = root
  let args = raw
  const known: ArgsDef = {}
  const path: string[] = [(await resolve(root.meta))?.name ?? ""]
  for (;;) {
    const children = (await resolve(command.subCommands)) as Record<string, unknown> | undefined
    if (!children) return { path, command, args }
    Object.assign(known, await resolve(command.args))
    const index = firstName(args, known)
    const is_root = path.length === 1
    const name = args[index] ?? (is_root && !asksHelp(args) ? default_name : undefined)
    if (name === undefined) return { path, command, args }
    if (!Object.hasOwn(children, name)) {
      throw new UsageError(
        `There is no command "${[...path, name].join(" ")}".${hint(name, Object.keys(children))}`,
      )
    }
    path.push(name)
    command = (await resolve(children[name])) as AnyCommand
    args = index === -1 ? args : args.toSpliced(index, 1)
  }
}

export const asksHelp = (args: string[]): boolean => {
  const end = args.indexOf("--")
  return args.slice(0, end === -1 ? undefined : end).some((arg) => arg === "--help" || arg === "-h")
}

/** Refuses what the parser would let pass: unknown flags, flags without their value, words too many. */
export async function checkArgs({ path, command, args }: Found): Promise<void> {
  // A hidden command is for programs, which give it a line that somebody is still typing.
  if ((await resolve(command.meta))?.hidden) return
  const defs = ((await resolve(command.args)) ?? {}) as ArgsDef
  const flags = Object.entries(defs).filter(([, def]) => def.type !== "positional")
  const words_max = Object.keys(defs).length - flags.length
  let words = 0
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === "--") {
      words += args.length - index - 1
      break
    }
    if (arg === "-" || !arg.startsWith("-")) {
      words++
      continue
    }
    const [name, value] = split(arg)
    const def = findFlag(flags, name)
    if (!def) throw new UsageError(`"${path.join(" ")}" has no flag ${name}.${hint(name, names(flags))}`)
    if (def.type === "boolean" || value !== undefined) continue
    index++
    if (index >= args.length) throw new UsageError(`${name} needs a value.`)
  }
  if (words > words_max) throw new UsageError(`"${path.join(" ")}" takes ${words_max || "no"} further words.`)
}

/** Flags that stand before the command's name must be known there to tell their values from names. */
function firstName(args: string[], defs: ArgsDef): number {
  const flags = Object.entries(defs)
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === "--") return -1
    if (!arg.startsWith("-")) return index
    const [name, value] = split(arg)
    const def = findFlag(flags, name)
    if (def && def.type !== "boolean" && value === undefined) index++
  }
  return -1
}

/** "--port=1" is name and value, and so is "-mtext". */
function split(arg: string): [name: string, value: string | undefined] {
  if (!arg.startsWith("--")) return [arg.slice(0, 2), arg.slice(2) || undefined]
  const equals = arg.indexOf("=")
  return equals === -1 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)]
}

function findFlag(flags: [string, ArgDef][], name: string): ArgDef | undefined {
  const bare = name.replace(/^--?/, "")
  for (const [known, def] of flags) {
    if (known === bare || aliases(def).includes(bare)) return def
    if (def.type === "boolean" && name === `--no-${known}`) return def
  }
  return undefined
}

const aliases = (def: ArgDef): string[] => ("alias" in def ? [def.alias ?? []].flat() : [])
const names = (flags: [string, ArgDef][]) => flags.map(([name]) => `--${name}`)

function hint(typed: string, known: string[]): string {
  const best = nearest(typed, known)
  return best ? ` Did you mean ${best}?` : ""
}

/** What citty lets a command give as a value, a promise or a function. */
export async function resolve<T>(value: T | (() => T | Promise<T>) | Promise<T>): Promise<T> {
  return typeof value === "function" ? await (value as () => T | Promise<T>)() : await value
}
