/** `weft config` by itself, for the tests of the command. */
import { configCommand } from "../../../src/cli/commands/config.ts"
import { runCli } from "../../../src/cli/run.ts"
import { sections } from "../../../src/registry.ts"
import { names } from "../needs.ts"

process.exitCode = await runCli(configCommand({ sections, names }), process.argv.slice(2), "check")
