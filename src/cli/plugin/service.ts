/** The plugins of a gateway: how they stand, and who takes them into service and out of it. */
import type { Methods } from "../../client/client.ts"
import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { fields, table, when } from "../text.ts"

type Plugin = Methods["plugin.load"]["result"]

export const list = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "list",
    description: "List the configured plugins and how they stand",
    ask: (client) => client.call("plugin.list", {}, { retry: true }),
    show({ plugins }) {
      if (plugins.length === 0) return "No plugin is configured. `weft plugin new` makes one."
      const shown = table(["PLUGIN", "STATE", "KIND", "OFFERS", "GRANTED", "CODE"], plugins.map(toRow))
      const reasons = plugins.flatMap(({ name, reason }) =>
        reason === undefined ? [] : [`${name}: ${reason}`],
      )
      const hint = plugins.some(({ state }) => state === "changed")
        ? ["What changed is not run. Look at it, then: weft plugin load NAME"]
        : []
      return [shown, ...reasons, ...hint].join("\n")
    },
  })

const toRow = ({ name, state, kind, tools, channel, granted, sha256 }: Plugin) => [
  name,
  state,
  kind ?? "-",
  channel ?? (tools.join(" ") || "-"),
  granted.join(" ") || "nothing",
  sha256?.slice(0, 12) ?? "-",
]

const name_arg = {
  name: { type: "positional", required: true, description: "As the configuration calls it" },
} as const

export const load = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "load",
    description: "Approve a plugin as it lies on the disk now, and take it into service",
    args: {
      ...name_arg,
      sha256: { type: "string", valueHint: "hash", description: "Only if the module is this one" },
    },
    ask: (client, { name, sha256 }) => client.call("plugin.load", { name, ...(sha256 ? { sha256 } : {}) }),
    show: (plugin) => `${plugin.name} is in service.\n${describe(plugin)}`,
  })

export const unload = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "unload",
    description: "Take a plugin out of service until it is loaded again",
    args: name_arg,
    ask: (client, { name }) => client.call("plugin.unload", { name }),
    show: ({ name }) => `${name} is out of service.`,
  })

const describe = ({
  sha256,
  kind,
  version,
  tools,
  channel,
  asks,
  granted,
  approved_by,
  approved_ms,
}: Plugin) =>
  fields({
    kind,
    version,
    tools: tools.join(" ") || undefined,
    channel,
    "asks for": asks.join(" ") || "nothing",
    granted: granted.join(" ") || "nothing",
    code: sha256,
    approved: approved_ms === undefined ? undefined : `${when(approved_ms)} by ${approved_by}`,
  })
