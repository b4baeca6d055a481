import type { ArgsDef } from "citty"
import { isLevel, type Level } from "../base/log.ts"

export const json_arg = {
  json: { type: "boolean", description: "Print one JSON value and nothing else" },
} as const satisfies ArgsDef

export const home_args = {
  home: { type: "string", valueHint: "folder", description: "Where the state is (WEFT_HOME, ~/.weft)" },
  config: { type: "string", valueHint: "file", description: "The configuration (WEFT_CONFIG)" },
} as const satisfies ArgsDef

/** What every command has that talks to a gateway. */
export const gateway_args = {
  ...home_args,
  url: { type: "string", description: "A gateway elsewhere, such as http://10.0.0.2:7200" },
  token: { type: "string", description: "Its token (WEFT_TOKEN)" },
  ...json_arg,
} as const satisfies ArgsDef

/** Those of a chat, and so of `weft` without a command. */
export const chat_args = {
  agent: { type: "string", description: "Another agent than the one that the bindings give" },
  model: { type: "string", description: "Another model that the agent may use" },
  session: { type: "string", description: "Session key, or a name for a conversation of its own" },
  ...gateway_args,
} as const satisfies ArgsDef

export type GatewayArgs = {
  home?: string | undefined
  config?: string | undefined
  url?: string | undefined
  token?: string | undefined
}

export function logLevel(fallback: Level): Level {
  const wanted = process.env.WEFT_LOG ?? ""
  return isLevel(wanted) ? wanted : fallback
}
