import { version } from "../package.json"

// Where the helper in C cannot be executed, this program starts itself to shut others in. It has no time to lose.
if (process.argv[2] === "sandbox") {
  const { runSandbox } = await import("./kernel/own/sandbox.ts")
  process.exit(await runSandbox(process.argv.slice(3)))
}

const [{ rootCommand }, { runCli }] = await Promise.all([import("./cli/root.ts"), import("./cli/run.ts")])

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
