import { type CommandDef, defineCommand } from "citty"
import { AppError } from "../../base/errors.ts"
import type { KnownNames } from "../../config/check.ts"
import { findHome, type HomeOptions } from "../../config/home.ts"
import type { Problem } from "../../config/problem.ts"
import type { AnySection } from "../../config/section.ts"
import { home_args, json_arg } from "../args.ts"
import { note, printJson, printResult } from "../output.ts"

export type ConfigCommandNeeds = { sections: readonly AnySection[]; names: KnownNames }

const args = { ...home_args, ...json_arg }

/**
 * `weft config`: looks at the configuration by itself, without a gateway. One that is not valid throws
 * invalid_config, whose lines the boundary prints.
 */
// biome-ignore lint/suspicious/noExplicitAny: a command forgets its arguments' types.
export function configCommand({ sections, names }: ConfigCommandNeeds): CommandDef<any> {
  const load = async (options: HomeOptions) => {
    const { readConfig } = await import("../../config/read.ts")
    return readConfig({ home: findHome(options), sections, names })
  }

  const show = defineCommand({
    meta: { name: "show", description: "Print what is in force, without secrets" },
    args,
    async run({ args }) {
      const { shown, warnings } = await load(args)
      if (args.json) return printJson(shown)
      const { stringify } = await import("smol-toml")
      await noteAll(warnings)
      await printResult(stringify(shown).trimEnd())
    },
  })

  const check = defineCommand({
    meta: { name: "check", description: "Say what is wrong with the configuration, and start nothing" },
    args,
    async run({ args }) {
      const { config_path: path } = findHome(args)
      try {
        const { warnings } = await load(args)
        if (args.json) return await printJson({ valid: true, path, problems: [], warnings })
        await noteAll(warnings)
        const count = warnings.length
        const rest = count === 0 ? "" : ` (${count} ${count === 1 ? "warning" : "warnings"})`
        const is_there = await Bun.file(path).exists()
        await printResult(
          is_there ? `${path} is valid${rest}.` : `There is no ${path}: the defaults are in force.`,
        )
      } catch (thrown) {
        // The answer to the question is a result too; the status still comes from the error.
        if (args.json && thrown instanceof AppError && thrown.code === "invalid_config") {
          await printJson({ valid: false, path, problems: thrown.data.problems, warnings: [] })
        }
        throw thrown
      }
    },
  })

  const path = defineCommand({
    meta: { name: "path", description: "Print where the configuration is" },
    args,
    async run({ args }) {
      const { home, config_path } = findHome(args)
      if (!args.json) return printResult(config_path)
      await printJson({ path: config_path, home, exists: await Bun.file(config_path).exists() })
    },
  })

  const schema = defineCommand({
    meta: { name: "schema", description: "Print the JSON Schema of the configuration, for editors" },
    args: json_arg,
    async run({ args }) {
      const { toJsonSchema } = await import("../../config/json-schema.ts")
      const document = toJsonSchema(sections)
      await (args.json ? printJson(document) : printResult(JSON.stringify(document, null, 2)))
    },
  })

  return defineCommand({
    meta: { name: "config", description: "Look at the configuration" },
    subCommands: { show, check, path, schema },
  })
}

async function noteAll(warnings: Problem[]): Promise<void> {
  const { describeProblem } = await import("../../config/problem.ts")
  for (const warning of warnings) note(`warning: ${describeProblem(warning)}`)
}
