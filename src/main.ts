import { version } from "../package.json"
import { rootCommand } from "./cli/root.ts"
import { runCli } from "./cli/run.ts"

// Bun looks at it when it serves: without it, a failure would show clients a development page.
process.env.NODE_ENV = "production"

const root = rootCommand({
  version,
  startGateway: async (options) => (await import("./app.ts")).startGateway(options),
  async configCommand() {
    const [{ configCommand }, { sections, names }] = await Promise.all([
      import("./cli/commands/config.ts"),
      import("./registry.ts"),
    ])
    return configCommand({ sections, names })
  },
})
process.exitCode = await runCli(root, process.argv.slice(2))
