import { existsSync } from "node:fs"
import { AppError } from "../../base/errors.ts"
import type { Home } from "../../config/home.ts"
import { describeProblem, type Problem } from "../../config/problem.ts"
import type { Deps, Inspected } from "../deps.ts"
import { type Finding, fail, ok, warn } from "./finding.ts"

const what = "configuration"

/** Returns what the configuration comes to; undefined where it is not valid. */
export async function* checkConfig(
  home: Home,
  inspect: Deps["inspect"],
): AsyncGenerator<Finding, Inspected | undefined> {
  try {
    const inspected = await inspect(home)
    const { config_path: path } = home
    yield ok(what, existsSync(path) ? `${path} is valid` : `there is no ${path}: the defaults are in force`)
    for (const warning of inspected.warnings)
      yield warn(what, warning, "correct it, or leave it as it is meant")
    return inspected
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "invalid_config") throw thrown
    const problems = (thrown.data.problems ?? [thrown.data]) as Problem[]
    for (const problem of problems) yield fail(what, describeProblem(problem), "correct it")
    return undefined
  }
}
