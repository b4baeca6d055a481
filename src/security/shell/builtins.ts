/** Commands that the shell is itself. Most that can run others, or change what comes after them, are not understood. */
import { of_the_shell, type Words } from "./shell.ts"

export type Builtin =
  /** Does nothing that a rule is for. */
  | "silent"
  | "changes_folder"
  /** A program, or a builtin that does no more than the program of its name. */
  | "program"
  /** The words after it are a command. */
  | "launches"
  | { refused: string }

export function readBuiltin(words: Words, splits: boolean): Builtin {
  const [name, ...args] = words
  const read = builtins[name!]
  if (!read && !of_the_shell.has(name!)) return "program"
  return read?.(args, splits) ?? { refused: `${name} may run or change something else` }
}

const silent = (args: Words, splits: boolean): Builtin | undefined =>
  splits || args.includes(null) ? undefined : "silent"

const builtins: Record<string, (args: Words, splits: boolean) => Builtin | undefined> = {
  ":": () => "silent",
  true: () => "silent",
  false: () => "silent",
  pwd: silent,
  exit: silent,
  return: silent,
  break: silent,
  continue: silent,
  shift: silent,
  wait: silent,
  cd: () => "changes_folder",
  set: ([flags, option, ...more]) =>
    (/^[-+][eux]+$/.test(flags ?? "") && option === undefined) ||
    (/^[-+][eux]*o$/.test(flags ?? "") && option === "pipefail" && more.length === 0)
      ? "silent"
      : undefined,
  read: (args, splits) =>
    !splits && args.every((word) => word === "-r" || /^[a-z_][a-z0-9_]*$/.test(word ?? ""))
      ? "silent"
      : undefined,
  // -v makes it write a variable, whose name may have a calculation in it.
  printf: ([format]) =>
    format !== null && format !== undefined && !format.startsWith("-") ? "program" : undefined,
  test: (args, splits) =>
    !splits && !args.some((word) => word === null || /^-[vR]$/.test(word)) ? "silent" : undefined,
  command: (args) => {
    const [flag, ...names] = args
    const asks = flag === "-v" || flag === "-V"
    return asks && !names.includes(null) ? "silent" : launches(args)
  },
  exec: (args) => (args.length === 0 ? "silent" : launches(args)),
  time: (args) => launches(args),
}

const launches = ([first]: Words): Builtin | undefined =>
  first !== null && first !== undefined && !first.startsWith("-") ? "launches" : undefined

/** Variables that tell a program nothing but how to show things. */
export const isHarmlessVariable = (name: string): boolean =>
  /^(LANG|LANGUAGE|LC_[A-Z]+|TZ|NODE_ENV|CI|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR|RUST_BACKTRACE|RUST_LOG)$/.test(
    name,
  )
