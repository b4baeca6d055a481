import { renderUsage, runCommand } from "citty"
import { AppError, type ErrorCode, errors, toAppError, toTrace } from "../base/errors.ts"
import { writeStandardError } from "../base/log.ts"
import { WeftError } from "../client/errors.ts"
import { type AnyCommand, asksHelp, checkArgs, type Found, findCommand, UsageError } from "./find-command.ts"
import { hasColor, output, write } from "./output.ts"
import { harmless } from "./text.ts"

type Failure = { code: string; message: string; data: Record<string, unknown>; exit: number; cause?: unknown }

/**
 * The boundary of the command line: the one place where what a command throws becomes a sentence and an exit status.
 * citty's own runMain exits with 1 for everything and lets unknown flags pass.
 */
export async function runCli(root: AnyCommand, args: string[], default_name = "chat"): Promise<number> {
  try {
    const [first, ...others] = args
    // What everybody types first.
    const words = first === "--version" ? ["version", ...others] : args
    const found = await findCommand(root, words, default_name)
    if (asksHelp(found.args)) {
      await write(`${await usage(found)}\n`)
      return 0
    }
    if (!found.command.run) throw new UsageError(`"${found.path.join(" ")}" needs a command; see --help.`)
    await checkArgs(found)
    await runCommand(found.command, { rawArgs: found.args })
    // A result can be that something is wrong, which is no failure of the command.
    return Number(process.exitCode ?? 0)
  } catch (thrown) {
    const failure = toFailure(thrown)
    writeStandardError(args.includes("--json") ? `${toJson(failure)}\n` : await toText(failure))
    return failure.exit
  }
}

async function usage({ path, command }: Found): Promise<string> {
  const parent = { meta: { name: path.slice(0, -1).join(" ") } }
  const text = await renderUsage(command, path.length > 1 ? parent : undefined)
  return hasColor(output) ? text : Bun.stripANSI(text)
}

function toFailure(thrown: unknown): Failure {
  const is_usage = thrown instanceof Error && (thrown.name === "CLIError" || thrown instanceof UsageError)
  if (is_usage) {
    const { exit } = errors.invalid_params
    return { code: "invalid_params", message: Bun.stripANSI(thrown.message), data: {}, exit }
  }
  const { code, message, data, cause } = thrown instanceof WeftError ? thrown : toAppError(thrown)
  const exit = Object.hasOwn(errors, code) ? errors[code as ErrorCode].exit : 1
  return { code, message, data, exit, ...(thrown instanceof AppError ? {} : { cause }) }
}

/** Only a bug has a cause that somebody should see; there is no other log of it. */
const causeOf = ({ code, cause }: Failure): string | undefined =>
  code === "internal" && cause ? toTrace(cause) : undefined

function toJson(failure: Failure): string {
  const { code, message, data } = failure
  return JSON.stringify({ error: { code, message, data, cause: causeOf(failure) } })
}

async function toText(failure: Failure): Promise<string> {
  const { code, message, data } = failure
  if (code === "invalid_config" && Array.isArray(data.problems)) {
    const { describeProblems } = await import("../config/problem.ts")
    return `${harmless([`weft: ${message}`, ...describeProblems(data)].join("\n"))}\n`
  }
  const shown = Object.entries(data).filter(([, value]) => value !== undefined && value !== null)
  const lines = shown.map(
    ([name, value]) => `  ${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  )
  const cause = causeOf(failure)
  if (cause !== undefined) lines.push(cause)
  return `${harmless([`weft: ${message}`, ...lines].join("\n"))}\n`
}
