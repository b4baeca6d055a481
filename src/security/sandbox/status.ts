import { constants } from "node:os"
import { type Wall, walls } from "../../kernel/walls.ts"
import type { Program } from "./execute.ts"

export type Missing = { wall: Wall; why: string }

/** How it ended, by the helper's last line. */
export type End =
  | { type: "exit"; code: number }
  | { type: "signal"; name: string }
  | { type: "exceeded"; limit: string }
  | { type: "refused" }
  | { type: "failed"; step: string; error: string }

/** The report of the helper, whose lines native/sandbox.c explains. */
export type Status = {
  holds: Wall[]
  missing: Missing[]
  started: boolean
  /** Missing where the helper itself was killed. */
  end?: End
}

export function parseStatus(text: string): Status {
  const status: Status = { holds: [], missing: [], started: false }
  for (const line of text.split("\n")) {
    const [word, first = "", ...rest] = line.split(" ")
    if (word === "holds" && isWall(first)) status.holds.push(first)
    if (word === "missing" && isWall(first)) status.missing.push({ wall: first, why: rest.join(" ") })
    if (word === "started") status.started = true
    const end = parseEnd(word, first, rest.join(" "))
    if (end) status.end ??= end
  }
  return status
}

function parseEnd(word: string | undefined, first: string, second: string): End | undefined {
  if (word === "exit") return { type: "exit", code: Number(first) }
  if (word === "signal") return { type: "signal", name: signalName(Number(first)) }
  if (word === "exceeded") return { type: "exceeded", limit: first }
  if (word === "refused") return { type: "refused" }
  if (word === "failed") return { type: "failed", step: first, error: second }
  return undefined
}

const isWall = (word: string): word is Wall => (walls as readonly string[]).includes(word)

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return found?.[0] ?? `signal ${number}`
}

/** What a model is told when "require" cannot be met. */
export function toDenial(missing: Missing[]): string {
  const list = missing.map(({ wall, why }) => `${wall} (${why})`).join(", ")
  return `Nothing was run: this machine cannot put up every wall that the agent's sandbox requires. Missing: ${list}. \`weft doctor\` says more.`
}

export function toFailure(program: Program, step: string, error: string): string {
  const name = program.argv[0]
  if (step === "folder")
    return `The program's folder cannot be entered (${error}): it must be a folder inside the workspace.`
  if (step === "write") return `A folder that is granted for writing is not there (${error}).`
  if (step !== "execute") return `The sandbox could not be put up (${step}: ${error}).`
  if (error === "ENOENT")
    return `${name} cannot be executed: it, or the interpreter in its first line, is not there (ENOENT).`
  if (error === "EACCES") return `${name} cannot be executed: it is not executable, or not granted (EACCES).`
  if (error === "ENOEXEC")
    return `${name} cannot be executed: it is no program, and its first line names none (ENOEXEC).`
  return `${name} cannot be executed (${error}).`
}

/** Why there is no word about a wall. */
export function toSentence({ end }: Status): string {
  if (end?.type === "failed") return `${end.step}: ${end.error}`
  return "the helper did not say"
}
