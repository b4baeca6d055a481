import { defineCommand } from "citty"
import { chat_args } from "./args.ts"
import type { Deps } from "./deps.ts"
import type { AnyCommand } from "./find-command.ts"

/** All commands by name. Each is loaded when it is called: `weft version` pays for nothing else. */
export function rootCommand(deps: Deps): AnyCommand {
  const root: AnyCommand = defineCommand({
    meta: { name: "weft", version: deps.version, description: "A gateway for AI agents of your own" },
    args: chat_args,
    subCommands: {
      chat: async () => (await import("./commands/chat.ts")).chat(deps),
      agent: async () => (await import("./commands/agent.ts")).agent(deps),
      gateway: async () => (await import("./commands/gateway.ts")).gateway(deps),
      status: async () => (await import("./commands/status.ts")).status(deps),
      open: async () => (await import("./commands/open.ts")).open(deps),
      session: async () => (await import("./commands/session.ts")).session(deps),
      memory: async () => (await import("./commands/memory.ts")).memory(deps),
      usage: async () => (await import("./commands/usage.ts")).usage(deps),
      tool: async () => (await import("./commands/tool.ts")).tool(deps),
      plugin: async () => (await import("./commands/plugin.ts")).plugin(deps),
      approval: async () => (await import("./commands/approval.ts")).approval(deps),
      token: async () => (await import("./commands/token.ts")).token(deps),
      config: () => deps.configCommand(),
      doctor: async () => (await import("./commands/doctor.ts")).doctor(deps),
      completions: async () => (await import("./commands/completions.ts")).completions(),
      complete: async () => (await import("./commands/completions.ts")).complete(() => root),
      version: async () => (await import("./commands/version.ts")).version(deps),
    },
  })
  return root
}
