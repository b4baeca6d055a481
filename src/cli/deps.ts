import type { CommandDef } from "citty"
import type { Agents } from "../agent/agents.ts"
import type { ModelChoice } from "../agent/model.ts"
import type { Level } from "../base/log.ts"
import type { Home } from "../config/home.ts"
import type { PluginConfig } from "../plugins/config.ts"

export type GatewayFlags = { port?: number; bind?: string; auth?: string }

export type GatewayOptions = {
  home: string
  config_path?: string
  flags: { gateway?: GatewayFlags }
  log_level: Level
  /** For one command only: nobody else is told where it listens, and it is gone when the command is done. */
  private?: boolean
}

export type Gateway = {
  url: string
  token: string
  home: string
  /** What answers for the default agent, as "provider/model". */
  model: string
  warnings: string[]
  closed: Promise<void>
  stop(how: "drain" | "now"): Promise<void>
}

/** What a configuration comes to, before a gateway is made of it. */
export type Inspected = {
  warnings: string[]
  plugins: readonly PluginConfig[]
  live: {
    agents: Agents
    providers(): { id: string; state: string }[]
    isReady(choice: ModelChoice): boolean
  }
}

/** What the command line is given by main.ts, because it stands above it. */
export type Deps = {
  version: string
  startGateway(options: GatewayOptions): Promise<Gateway>
  /** Reads the configuration of a home and writes nothing. Throws invalid_config. */
  inspect(home: Home): Promise<Inspected>
  // biome-ignore lint/suspicious/noExplicitAny: a command forgets its arguments' types.
  configCommand(): Promise<CommandDef<any>>
}
