import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { dollars, table } from "../text.ts"

export const usage = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "usage",
    description: "Show what the models were asked and what it cost",
    args: {
      by: {
        type: "enum",
        options: ["day", "agent", "model", "session"],
        default: "day",
        description: "What a line stands for",
      },
    },
    ask: (client, { by }) => client.call("usage.get", { by }, { retry: true }),
    show({ groups }, { by }) {
      if (groups.length === 0) return "No model has been asked yet."
      const rows = groups.map((group) => [
        group.group,
        String(group.calls),
        String(group.input_tokens),
        String(group.cached_tokens),
        String(group.output_tokens),
        dollars(group.cost_usd) + (group.unpriced_calls > 0 ? ` and ${group.unpriced_calls} unpriced` : ""),
      ])
      return table([by.toUpperCase(), "CALLS", "INPUT", "CACHED", "OUTPUT", "COST"], rows)
    },
  })
