/** What a command of exec would do, and doing it. */
import { posix } from "node:path"
import type { Executed } from "../security/sandbox/execute.ts"
import { type Found, type FoundProgram, readCommand, realPath, toText } from "../security/shell/commands.ts"
import { type Target, ToolDenied } from "../security/target.ts"
import { toCount } from "./text.ts"
import type { ToolContext } from "./tool.ts"

const script_bytes_max = 67_108_864
const timeout_ms_max = 600_000
/** Of each of the two streams. */
const output_bytes_max = 524_288

export type Command = {
  command: string | string[]
  working_dir?: string
  timeout_ms?: number
  stdin?: string
}

export async function targetsOf(input: Command, context: ToolContext): Promise<Target[]> {
  const [found, folder] = await Promise.all([readCommand(input.command), toFolder(input, context)])
  // A program that is not there is said at once; one that a shell does not find may come to be while it runs.
  if (found.words) toProgram(found.words[0] ?? "", folder, context)
  const programs = await Promise.all(
    found.programs.map((program) => toTarget(program, folder, found, context)),
  )
  const { paths, lost } = redirections(found, folder, context)
  const why = found.opaque ?? lost
  const whole = found.words ? undefined : shellTarget(found, input, context)
  const is_shown = whole && (why !== undefined || programs.length === 0)
  const [first, ...others] = is_shown ? [whole, ...programs] : programs
  const notes = [
    why,
    ...notesOf(input, folder),
    whole && !is_shown ? `as a part of: ${input.command}` : undefined,
  ]
  return [
    { ...withNotes(first!, notes), ...(why !== undefined && { opaque: true as const }) },
    ...others,
    ...paths,
  ]
}

export async function runCommand(input: Command, context: ToolContext): Promise<string> {
  const { command, timeout_ms = context.config.exec_timeout_ms, stdin } = input
  const folder = folderOf(input, context)
  const found = await readCommand(command)
  const argv = found.words
    ? [toProgram(found.words[0] ?? "", folder, context), ...found.words.slice(1)]
    : // What begins with a dash would be an option of the shell.
      [shellFor(found, context), "-c", "--", `${command}`]
  const executed = await context.execute({
    argv,
    folder,
    ...(stdin !== undefined && { stdin }),
    timeout_ms: Math.min(Math.max(timeout_ms, 1), timeout_ms_max),
    output_bytes_max,
    signal: context.signal,
  })
  return toResult(executed)
}

function folderOf({ working_dir = "." }: Command, { files }: ToolContext): string {
  const { text } = files.toTargetAnywhere(working_dir, "read")
  if (text.startsWith("/")) throw new ToolDenied("working_dir must lie in the workspace.")
  return text
}

/** The folder as it really is: a link in the workspace may lead out of it. */
async function toFolder(input: Command, context: ToolContext): Promise<string> {
  const folder = folderOf(input, context)
  using opened = await context.files.open(folder)
  if (opened.stat.type !== "folder") throw new Error(`working_dir "${folder}" is not a folder.`)
  if (opened.path.startsWith("/")) throw new ToolDenied("working_dir must lie in the workspace.")
  return folder
}

function shellFor({ bash }: Found, { findProgram }: ToolContext): string {
  const shell = findProgram("bash") ?? (bash ? undefined : findProgram("sh"))
  if (shell === undefined) throw new Error(`There is no ${bash ? "bash" : "shell"} here to run this.`)
  return shell
}

/** A name with a slash is meant from the folder in which it runs. */
const fromFolder = (program: string, folder: string): string =>
  program.includes("/") && !program.startsWith("/") ? posix.join(folder, program) : program

function toProgram(name: string, folder: string, { findProgram }: ToolContext): string {
  const path = findProgram(spelled(fromFolder(name, folder), name))
  if (path === undefined) throw new Error(`There is no program ${toText([name])} here.`)
  return path
}

/** posix.join takes the "./" away, without which a name is looked for on PATH. */
const spelled = (path: string, name: string): string =>
  name.includes("/") && !path.includes("/") ? `./${path}` : path

async function toTarget(
  { words, opaque, script, name: own }: FoundProgram,
  folder: string,
  { wanders }: Found,
  context: ToolContext,
): Promise<Target> {
  const [name = "", ...args] = words as [string, ...(string | null)[]]
  const is_path = name.includes("/")
  const place = spelled(fromFolder(name, folder), name)
  const path = context.findProgram(place) ?? (is_path ? posix.resolve(context.files.workspace, place) : name)
  const { file, unread } = await readScript(script ?? (is_path ? name : undefined), folder, context)
  const lost = wanders && [is_path ? name : undefined, script].some((one) => one && !one.startsWith("/"))
  const why =
    opaque ??
    (lost ? "it changes its folder before it runs a file" : unread) ??
    (own !== undefined && context.findProgram(own) !== undefined
      ? `it may run the program ${own}`
      : undefined)
  const real = is_path ? realPath(path) : undefined
  const notes = [why, real === undefined || real === path ? undefined : `${name} is a link to ${real}`]
  return withNotes(
    {
      effect: "execute",
      kind: "program",
      text: toText(words),
      words: [path, ...args],
      ...(is_path && context.findProgram(posix.basename(name)) !== path && { elsewhere: true as const }),
      ...(why !== undefined && { opaque: true as const }),
      ...(file && { script: file }),
    },
    notes,
  )
}

type Script = { file?: Target["script"]; unread?: string }

/** Nothing where it is not in a folder that was granted; then no tool writes it either. */
async function readScript(
  script: string | undefined,
  folder: string,
  { files }: ToolContext,
): Promise<Script> {
  if (script === undefined) return {}
  const path = fromFolder(`${script.includes("/") ? "" : "./"}${script}`, folder)
  const stat = await files.stat(path).catch((thrown) => (thrown instanceof ToolDenied ? "denied" : "missing"))
  if (stat === "denied") return {}
  // It may come to be while the command runs, or a shell finds one of that name on PATH.
  if (typeof stat === "string" || stat.type !== "file")
    return { unread: "the file that it would run is not there" }
  if (stat.bytes > script_bytes_max) return { unread: "the file that it runs is too large to be looked at" }
  const { bytes } = await files.read(path)
  return { file: { path: files.toTargetAnywhere(path, "read").text, sha256: sha256Of(bytes) } }
}

function redirections({ writes, reads, wanders }: Found, folder: string, { files }: ToolContext) {
  // For the shell "~" and "file:" are names by now.
  const toPath = (path: string) => (path.startsWith("/") ? path : `./${posix.join(folder, path)}`)
  return {
    paths: [
      ...writes.map((path) => files.toTargetAnywhere(toPath(path), "write")),
      ...reads.map((path) => files.toTargetAnywhere(toPath(path), "read")),
    ],
    lost:
      wanders && [...writes, ...reads].some((path) => !path.startsWith("/"))
        ? "it changes its folder before it reads or writes a file"
        : undefined,
  }
}

/** The whole command, for where its programs are not all that it is. */
function shellTarget(found: Found, { command }: Command, context: ToolContext): Target {
  const shell = shellFor(found, context)
  const words = [posix.basename(shell), "-c", `${command}`]
  return { effect: "execute", kind: "program", text: toText(words), words: [shell, ...words.slice(1)] }
}

/** What is granted for longer is granted for these very targets, so that they say all that makes a difference. */
const notesOf = ({ stdin }: Command, folder: string): (string | undefined)[] => [
  folder === "." ? undefined : `in the folder ${folder}`,
  stdin === undefined ? undefined : `with the input of sha256 ${sha256Of(stdin)}`,
]

function withNotes(target: Target, notes: readonly (string | undefined)[]): Target {
  const said = [target.note, ...notes].filter((note) => note !== undefined)
  return said.length === 0 ? target : { ...target, note: said.join("; ") }
}

const sha256Of = (text: string | Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(text).digest("hex")

function toResult(executed: Executed): string {
  const { stdout, stderr, missing } = executed
  const parts = [
    toEnd(executed),
    stream("stdout", stdout),
    stream("stderr", stderr),
    stdout === "" && stderr === "" ? "It wrote nothing." : "",
    missing.length > 0
      ? `It ran without these walls, which this machine does not have: ${missing.join(", ")}.`
      : "",
  ]
  return parts.filter((part) => part !== "").join("\n")
}

const stream = (name: string, text: string): string => (text === "" ? "" : `${name}:\n${text.trimEnd()}`)

const exceeded_limits = {
  memory: "it used more memory than it may",
  processes: "it started more processes than it may",
  time: "its time was over",
  output: "it wrote far more than anybody reads",
}

function toEnd({ exit_code, signal, timed_out, exceeded, duration_ms }: Executed): string {
  const time = toCount(Math.round(duration_ms), "ms", "ms")
  if (timed_out)
    return `Stopped after ${time}: its time was over. timeout_ms gives it up to ${timeout_ms_max}.`
  if (exceeded) return `Stopped after ${time}: ${exceeded_limits[exceeded]}.`
  if (exit_code !== null) return `Exit status ${exit_code}, ${time}.`
  return `Ended by ${signal ?? "a signal"} after ${time}.`
}
