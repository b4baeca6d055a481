import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { AppError } from "../base/errors.ts"
import { writeState } from "../config/home.ts"
import { lockHome } from "../store/lock.ts"
import { type Auth, newToken } from "./auth.ts"

const token_chars_min = 32

/** Takes the home for this process. Throws already_running, with who has it, after waiting `wait_ms` for it. */
export async function takeHome(home: string, wait_ms: number): Promise<Disposable> {
  const until = performance.now() + wait_ms
  for (;;) {
    const lock = lockHome(join(home, "lock"))
    if (lock) return lock
    if (performance.now() >= until) break
    await Bun.sleep(50)
  }
  const file = Bun.file(join(home, "gateway.json"))
  const holder = (await file.exists()) ? ((await file.json()) as { pid?: number; url?: string }) : {}
  throw new AppError("already_running", { home, pid: holder.pid, url: holder.url })
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
