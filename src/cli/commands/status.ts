import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { duration, fields } from "../text.ts"

export const status = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "status",
    description: "Show how the running gateway is",
    start: false,
    ask: async (client, _args, url) => ({ url, ...(await client.call("status")) }),
    show: (result) =>
      fields({
        gateway: result.url,
        version: result.version,
        up: duration(result.uptime_ms),
        memory: `${(result.memory_bytes / 1_048_576).toFixed(0)} MiB`,
        agents: result.agents,
        sessions: result.sessions,
        plugins: result.plugins,
        providers: states(result.providers),
        channels: states(result.channels),
      }),
  })

const states = (list: { id: string; state: string }[]) =>
  list.map(({ id, state }) => `${id} (${state})`).join(", ") || "none"
