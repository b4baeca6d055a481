import { version } from "../package.json"
import { rootCommand } from "./cli/root.ts"
import { runCli } from "./cli/run.ts"

// Where the helper in C cannot be executed, this program starts itself to shut others in.
if (process.argv[2] === "sandbox") {
  const { runSandbox } = await import("./kernel/own/sandbox.ts")
  process.exit(await runSandbox(process.argv.slice(3)))
}

// What plugins run in, started by the gateway.
if (process.argv[2] === "runner") {
  const { runRunner } = await import("./plugins/runner/main.ts")
  process.exit(await runRunner(process.argv.slice(3)))
}

// Bun looks at it when it serves: without it, a failure would show clients a development page.
process.env.NODE_ENV = "production"

const root = rootCommand({
  version,
  startGateway: async (options) => (await import("./app.ts")).startGateway(options),
  async inspect(home) {
    const { openLive, readLoaded } = await import("./live.ts")
    const loaded = await readLoaded(home, {}, process.env)
    const { warnings, config } = loaded
    return { warnings, plugins: config.plugins, live: await openLive(loaded, home, process.env) }
  },
  async configCommand() {
    const [{ configCommand }, { sections, names }] = await Promise.all([
      import("./cli/commands/config.ts"),
      import("./registry.ts"),
    ])
    return configCommand({ sections, names })
  },
})
process.exitCode = await runCli(root, process.argv.slice(2))
