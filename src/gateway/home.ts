import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { AppError } from "../base/errors.ts"
import { writeState } from "../config/home.ts"
import { lockHome } from "../store/lock.ts"
import { type Auth, newToken } from "./auth.ts"

const token_chars_min = 32

/** A command that runs in process is done by then, unless a model answers it for longer. */
const lock_wait_ms = 5000

/**
 * Takes the home for this process. Where a gateway has it, that is refused at once with its address; a command that
 * runs in process is waited for. Throws already_running with who has it.
 */
export async function takeHome(home: string): Promise<Disposable> {
  const until = performance.now() + lock_wait_ms
  for (;;) {
    const lock = lockHome(join(home, "lock"))
    if (lock) return lock
    const { pid, url } = await readHolder(join(home, "gateway.json"))
    if (url !== undefined || performance.now() >= until) {
      throw new AppError("already_running", { home, pid, url })
    }
    await Bun.sleep(50)
  }
}

/** Nothing where the holder has only just come or is about to leave. */
async function readHolder(path: string): Promise<{ pid?: number; url?: string }> {
  try {
    return (await Bun.file(path).json()) as { pid?: number; url?: string }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return {}
    throw thrown
  }
}

/**
 * The token in the home's file, made at the first start or where the old one was revoked. `given` (from the
 * environment) is taken beside it. Reads synchronously: at the start nothing else could use the time.
 */
export async function operatorToken(auth: Auth, home: string, given: string | undefined): Promise<string> {
  if (given) {
    if (given.length < token_chars_min) {
      const expected = `at least ${token_chars_min} characters`
      throw new AppError("invalid_config", { key: "WEFT_TOKEN", expected })
    }
    await auth.adopt(given, "WEFT_TOKEN")
  }
  const path = join(home, "token")
  const kept = existsSync(path) ? readFileSync(path, "utf8").trim() : ""
  if (kept.length >= token_chars_min && (await auth.adopt(kept, "operator"))) return kept
  const made = newToken()
  await auth.adopt(made, "operator")
  writeState(path, `${made}\n`)
  return made
}
