import { defineCommand } from "citty"
import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { table } from "../text.ts"

export const tool = (deps: Deps) =>
  defineCommand({
    meta: { name: "tool", description: "What agents can do" },
    subCommands: { list: list(deps) },
  })

const list = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "list",
    description: "List the tools",
    ask: (client) => client.call("tool.list", {}, { retry: true }),
    show: ({ tools }) =>
      table(
        ["TOOL", "EFFECT", "WHAT IT DOES"],
        tools.map(({ name, effect, description }) => [name, effect, description]),
      ),
  })
