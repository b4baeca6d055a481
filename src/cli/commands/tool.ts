import { defineCommand } from "citty"
import type { Methods } from "../../client/client.ts"
import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { duration, table, when } from "../text.ts"

export const tool = (deps: Deps) =>
  defineCommand({
    meta: { name: "tool", description: "What agents can do" },
    subCommands: { list: list(deps), calls: calls(deps) },
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

const calls = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "calls",
    description: "Show what tools were called for, who decided it and how it ended, newest first",
    args: {
      agent: { type: "string", description: "Of this agent only" },
      session: { type: "string", valueHint: "key", description: "Of this session only" },
      limit: { type: "string", default: "50", description: "How many" },
      before: {
        type: "string",
        valueHint: "id",
        description: "Go on after this call, as the last page says",
      },
    },
    ask: (client, { agent, session, limit, before }) =>
      client.call(
        "tool.calls",
        {
          limit: Number(limit),
          ...(agent ? { agent } : {}),
          ...(session ? { session_key: session } : {}),
          ...(before ? { before } : {}),
        },
        { retry: true },
      ),
    show({ calls, next }) {
      if (calls.length === 0) return "No tool has been called."
      const shown = table(["WHEN", "AGENT", "TOOL", "DECIDED", "ENDED", "WHAT"], calls.map(toRow))
      return next === undefined ? shown : `${shown}\nOlder ones: --before ${next}`
    },
  })

type Call = Methods["tool.calls"]["result"]["calls"][number]

const toRow = ({ created_ms, agent, tool, verdict, decided_by, outcome, duration_ms, targets }: Call) => [
  when(created_ms),
  agent,
  tool,
  `${verdict}: ${decided_by}`,
  // What has no end runs, or ran when the gateway was killed.
  `${outcome ?? "not ended"}${duration_ms === null ? "" : `, ${duration(duration_ms)}`}`,
  targets.map(toText).join("; "),
]

function toText(target: unknown): string {
  const { effect, text } = target as { effect: string; text: string }
  return `${effect} ${text}`
}
