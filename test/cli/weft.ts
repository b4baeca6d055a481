import { join } from "node:path"
import type { TestServer } from "../client/server.ts"

export const main_path = join(import.meta.dir, "../../src/main.ts")

export type Ran = { stdout: string; stderr: string; exit: number }

/** Runs the command line as a process of its own, as a shell does. */
export async function weft(args: string[], { stdin = "", env = {} }: Options = {}): Promise<Ran> {
  await using child = Bun.spawn([process.execPath, main_path, ...args], {
    stdin: Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { stdout, stderr, exit: await child.exited }
}

type Options = { stdin?: string; env?: Record<string, string> }

/** The flags that lead a command to a test's server. */
export const to = ({ url }: TestServer): string[] => ["--url", url, "--token", "secret"]

export type Terminal = AsyncDisposable & {
  type(keys: string): void
  /** Resolves once what was shown since the last look matches; with that text, without its control sequences. */
  shows(pattern: RegExp): Promise<string>
  exited: Promise<number>
}

/** Runs the command line in a terminal of 80 columns and 24 rows. */
export function weftInTerminal(args: string[], env: Record<string, string> = {}): Terminal {
  let seen = ""
  let looked = 0
  let changed = Promise.withResolvers<void>()
  const child = Bun.spawn([process.execPath, main_path, ...args], {
    env: { ...process.env, TERM: "xterm-256color", ...env },
    terminal: {
      cols: 80,
      rows: 24,
      data(_terminal: unknown, bytes: Uint8Array) {
        seen += Buffer.from(bytes).toString()
        changed.resolve()
        changed = Promise.withResolvers()
      },
    },
  })
  const exited = child.exited.then((exit) => {
    changed.resolve()
    return exit
  })
  return {
    exited,
    type: (keys) => void child.terminal!.write(keys),
    async shows(pattern) {
      for (;;) {
        const text = Bun.stripANSI(seen.slice(looked))
        if (pattern.test(text)) {
          looked = seen.length
          return text
        }
        const left = child.exitCode ?? child.signalCode
        if (left !== null) throw new Error(`left with ${left} after: ${text}`)
        await changed.promise
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await child.exited
      child.terminal!.close()
    },
  }
}
