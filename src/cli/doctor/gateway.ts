import { join } from "node:path"
import { AppError } from "../../base/errors.ts"
import { WeftError } from "../../client/client.ts"
import { isHomeHeld } from "../../store/check.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { type Finding, fail, ok, warn } from "./finding.ts"

const what = "gateway"
const answer_ms_max = 1000

/** Whether one runs on the home. Returns whether somebody has the home. */
export async function* checkGateway(home: string, deps: Deps): AsyncGenerator<Finding, boolean> {
  if (!isHomeHeld(join(home, "lock"))) {
    yield ok(what, "none runs on this home")
    return false
  }
  const told = await readHolder(join(home, "gateway.json"))
  const holder = told.pid === undefined ? "a process" : `process ${told.pid}`
  if (told.url === undefined) {
    yield ok(what, `${holder} has the home for a command of its own`)
    return true
  }
  const answer = await ask(home, deps)
  const remedy = "look into its log, or stop it"
  if (answer.failure) yield fail(what, `${holder} is to be at ${told.url}: ${answer.failure}`, remedy)
  else if (answer.version !== deps.version) {
    yield warn(
      what,
      `version ${answer.version} runs at ${told.url}, and this is ${deps.version}`,
      "restart it",
    )
  } else yield ok(what, `${holder} runs at ${told.url}`)
  return true
}

type Holder = { pid?: number; url?: string }

async function readHolder(path: string): Promise<Holder> {
  try {
    return (await Bun.file(path).json()) as Holder
  } catch (thrown) {
    // It comes and goes with its gateway.
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT" || thrown instanceof SyntaxError) return {}
    throw thrown
  }
}

async function ask(home: string, deps: Deps): Promise<{ version?: string; failure?: string }> {
  try {
    await using gateway = await openGateway({ home }, deps, {
      start: false,
      connect_timeout_ms: answer_ms_max,
    })
    return { version: (await gateway.client.info()).server.version }
  } catch (thrown) {
    if (!(thrown instanceof WeftError || thrown instanceof AppError)) throw thrown
    return { failure: thrown.message }
  }
}
