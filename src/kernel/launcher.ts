import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { is_embedded, sandbox_path } from "./embedded.ts"
import { openMemoryFile } from "./memory-file.ts"

/** The words before those that native/sandbox.c takes, or why there are none on this system. */
export type Launcher = { argv: string[]; kind: "helper" | "own" } | { missing: string }

/**
 * For Bun itself; the program does not get it. Without it Bun would keep what it makes of the sources in the program's
 * HOME, which is the agent's workspace.
 */
export const no_cache = { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" }

/** The helper in memory, which stays as long as this process does. */
let in_memory: string | undefined

/**
 * What puts walls around a program: the helper in C, or else this very program, which does the same more slowly and
 * without namespaces. `run_folder` is one of our own (0700), for a helper that cannot be executed from memory.
 */
export async function launcher(run_folder: string): Promise<Launcher> {
  if (process.platform !== "linux") {
    return { missing: `programs can be shut in on Linux only; this system is ${process.platform}` }
  }
  const helper = await findHelper(run_folder)
  return helper ? { argv: [helper], kind: "helper" } : { argv: ownCommand("sandbox"), kind: "own" }
}

/**
 * This program with one of its hidden commands; on Linux whatever has been put in the place of its file since it was
 * started.
 */
export function ownCommand(word: "sandbox" | "runner"): string[] {
  const own = process.platform === "linux" ? `/proc/${process.pid}/exe` : process.execPath
  if (is_embedded) return [own, word]
  const root = join(import.meta.dir, "../..")
  return [own, "--no-env-file", `--config=${join(root, "bunfig.toml")}`, join(root, "src/main.ts"), word]
}

async function findHelper(run_folder: string): Promise<string | undefined> {
  if (in_memory) return in_memory
  const size = statSync(sandbox_path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return undefined
  if (!is_embedded && (await runs(sandbox_path))) return sandbox_path
  const bytes = readFileSync(sandbox_path)
  const fd = openMemoryFile("weft-sandbox", bytes)
  const path = `/proc/${process.pid}/fd/${fd}`
  if (fd !== undefined && (await runs(path))) {
    in_memory = path
    return path
  }
  const file = writeHelper(run_folder, bytes)
  return (await runs(file)) ? file : undefined
}

function writeHelper(folder: string, bytes: Uint8Array): string {
  const path = join(folder, "sandbox")
  if (statSync(path, { throwIfNoEntry: false })?.size === bytes.length) return path
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const made = `${path}.${process.pid}`
  writeFileSync(made, bytes, { mode: 0o700 })
  chmodSync(made, 0o700)
  renameSync(made, path)
  return path
}

/** A disk may forbid execution, and a helper of another system or one that lacks its libraries does not start. */
async function runs(path: string): Promise<boolean> {
  try {
    // Without options it says that it was not called right, to nobody, and ends.
    const child = Bun.spawn([path], { env: {}, stdio: ["ignore", "ignore", "ignore"] })
    return (await child.exited) <= 1
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === undefined) throw thrown
    return false
  }
}
