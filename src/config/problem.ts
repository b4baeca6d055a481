import { AppError } from "../base/errors.ts"
import { keyOf, type Path } from "./schema-tree.ts"

/** Something wrong with the configuration, before it is known where it was written. */
export type Finding = {
  path: Path
  expected: string
  got?: string
  nearest?: string
  hint?: string
}

/** A finding with its place: a line of the file, an environment variable or a flag. */
export type Problem = {
  file: string
  line?: number
  column?: number
  variable?: string
  flag?: string
  key: string
  expected: string
  got?: string
  nearest?: string
  hint?: string
}

export type Place = Pick<Problem, "line" | "column" | "variable" | "flag">

export function placed(finding: Finding, file: string, place: Place): Problem {
  const { path, ...rest } = finding
  return { file, ...place, key: keyOf(path), ...rest }
}

/** The first problem is at the top of `data`, all of them are in `data.problems`. */
export function toConfigError(problems: Problem[], cause?: unknown): AppError {
  return new AppError("invalid_config", { ...problems[0], problems }, cause)
}

/** One line for a person: where, which key, what it should be, and what to try. */
export function describeProblem(problem: Problem): string {
  const { file, line, column, variable, flag, key, expected, got, nearest, hint } = problem
  const position = line === undefined ? file : `${file}:${line}:${column}`
  const where = variable ?? flag ?? position
  const sentence = [
    `${where}: ${key === "" ? "" : `${key}: `}expected ${expected}${got === undefined ? "" : `, got ${got}`}`,
    ...(hint === undefined ? [] : [hint]),
    ...(nearest === undefined ? [] : [`did you mean ${JSON.stringify(nearest)}?`]),
  ]
  return sentence.join("; ")
}

/** The lines that a person reads for the data of an invalid_config error: one a problem, then what to do. */
export function describeProblems(data: Record<string, unknown>): string[] {
  const problems = Array.isArray(data.problems) ? (data.problems as Problem[]) : []
  const advice =
    problems.length === 1
      ? "Correct it and try again; `weft config check` looks without starting anything."
      : "Correct them and try again; `weft config check` looks without starting anything."
  return [...problems.map(describeProblem), advice]
}

/** A value as an error may show it: short, and never what a secret holds. */
export function shownValue(value: unknown, secret: boolean): string {
  if (value === undefined) return "nothing"
  if (value instanceof Date) return "a date"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object") return "a table"
  if (secret) return `a ${typeof value}`
  const text = typeof value === "string" ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
