import { defineCommand } from "citty"
import { findHome, type Home } from "../../config/home.ts"
import { home_args, json_arg } from "../args.ts"
import type { Deps, Inspected } from "../deps.ts"
import { checkConfig } from "../doctor/config.ts"
import { type Finding, fail, reasonOf, toLine } from "../doctor/finding.ts"
import { checkGateway } from "../doctor/gateway.ts"
import { checkHome } from "../doctor/home.ts"
import { checkMemory } from "../doctor/memory.ts"
import { checkModels } from "../doctor/models.ts"
import { checkPlugins } from "../doctor/plugins.ts"
import { checkProgram } from "../doctor/program.ts"
import { checkPrograms } from "../doctor/programs.ts"
import { checkDatabase } from "../doctor/store.ts"
import { checkSandbox } from "../doctor/walls.ts"
import { printJson, printResult } from "../output.ts"

export const doctor = (deps: Deps) =>
  defineCommand({
    meta: { name: "doctor", description: "Say what is wrong here, and what this machine can enforce" },
    args: {
      fix: { type: "boolean", description: "Take away the rights of others to the home's files" },
      ...home_args,
      ...json_arg,
    },
    async run({ args }) {
      const checks: Finding[] = []
      for await (const finding of examine(findHome(args), deps, { fix: args.fix === true })) {
        checks.push(finding)
        if (!args.json) await printResult(toLine(finding))
      }
      const is_well = checks.every(({ level }) => level !== "fail")
      if (args.json) await printJson({ ok: is_well, checks })
      if (!is_well) process.exitCode = 1
    },
  })

/** Changes nothing without `fix`, and asks nobody but a gateway of this home. */
async function* examine(home: Home, deps: Deps, { fix }: { fix: boolean }): AsyncGenerator<Finding> {
  let inspected: Inspected | undefined
  let is_there = false
  let is_held = false
  yield checkProgram(deps.version)
  yield* guarded("home", async function* () {
    is_there = yield* checkHome(home.home, { fix })
  })
  yield* guarded("configuration", async function* () {
    inspected = yield* checkConfig(home, deps.inspect)
  })
  if (is_there) {
    yield* guarded("gateway", async function* () {
      is_held = yield* checkGateway(home.home, deps)
    })
    const database = checkDatabase(home.home, is_held)
    yield database
    if (database.level !== "fail") yield* guarded("memory", () => checkMemory(home.home, deps, is_held))
  }
  if (inspected) yield* checkModels(inspected)
  yield* guarded("walls", () => checkSandbox(inspected))
  yield* guarded("plugins", () => checkPlugins(home.home, inspected, deps, is_held))
  yield checkPrograms()
}

/** A check that fails says so, and the others go on: where something is wrong they are needed most. */
async function* guarded(what: string, check: () => AsyncGenerator<Finding>): AsyncGenerator<Finding> {
  try {
    yield* check()
  } catch (thrown) {
    yield fail(what, `it could not be checked: ${reasonOf(thrown)}`, "correct that, and look again")
  }
}
