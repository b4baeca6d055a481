import { defineCommand } from "citty"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { table, when } from "../text.ts"

export const token = (deps: Deps) =>
  defineCommand({
    meta: { name: "token", description: "Give and take away access to the gateway" },
    subCommands: { list: list(deps), create: create(deps), revoke: revoke(deps) },
  })

const list = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "list",
    description: "List the tokens; what they are is known to their holders only",
    ask: (client) => client.call("token.list", {}, { retry: true }),
    show({ tokens }) {
      const rows = tokens.map(({ token_id, name, scope, agents, last_used_ms, expires_ms, revoked_ms }) => [
        token_id,
        name,
        scope,
        agents?.join(" ") ?? "all",
        when(last_used_ms),
        revoked_ms === null ? when(expires_ms) : "revoked",
      ])
      return table(["ID", "NAME", "SCOPE", "AGENTS", "LAST USED", "EXPIRES"], rows)
    },
  })

const create = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "create",
    description: "Make a token and print it, once",
    args: {
      name: { type: "positional", required: true, description: "What it is for" },
      scope: {
        type: "string",
        valueHint: "read|chat|approve|admin",
        default: "chat",
        description:
          "What it may do; chat includes read, admin includes all; several with commas: chat,approve",
      },
      agent: { type: "string", description: "Only for these agents; several with commas" },
      days: { type: "string", description: "Expires after so many days" },
    },
    ask: (client, { name, scope, agent, days }) =>
      client.call("token.create", {
        name,
        scope: toScope(scope),
        ...(agent ? { agents: words(agent) } : {}),
        ...(days ? { expires_ms: Date.now() + toDays(days) * 86_400_000 } : {}),
      }),
    show: ({ token }) => token,
  })

const revoke = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "revoke",
    description: "End a token; its connections are closed",
    args: { id: { type: "positional", required: true, description: "The id that `weft token list` shows" } },
    ask: (client, { id }) => client.call("token.revoke", { token_id: id }),
    show: (_result, { id }) => `Revoked ${id}.`,
  })

const scopes = ["read", "chat", "approve", "admin"] as const

type Scope = (typeof scopes)[number]

function toScope(text: string): Scope[] {
  const asked = words(text)
  const wrong = asked.find((word) => !scopes.some((scope) => scope === word))
  if (asked.length > 0 && wrong === undefined) return asked as Scope[]
  throw new UsageError(`--scope takes ${scopes.join(", ")}, not "${wrong ?? text}".`)
}

const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== "")

function toDays(text: string): number {
  const days = Number(text)
  if (!(days > 0)) throw new UsageError("--days needs a number greater than 0.")
  return days
}
