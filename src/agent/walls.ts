import { join, resolve } from "node:path"
import { parseRules } from "../security/permissions.ts"
import type { ToolsConfig } from "../tools/config.ts"
import type { AnyTool } from "../tools/tool.ts"
import type { AgentConfig } from "./config.ts"
import type { Walls } from "./hands.ts"

export type WallsOptions = {
  /** The gateway's folder; nothing of it is open to a tool but what is granted. */
  home: string
  /** The configuration, wherever it lies. */
  config_path: string
  env: Record<string, string | undefined>
  tools: readonly AnyTool[]
  tools_config: ToolsConfig
}

/** What no folder that is granted may contain. */
const own_files = [
  "token",
  "weft.db",
  "lock",
  "gateway.json",
  "credentials",
  "files",
  "run",
  "logs",
  "vectors",
]

/** What limits an agent's tools, from its configuration. Opens and makes nothing. */
export function openWalls(
  { id, permissions, sandbox = { read: [], write: [], network: [] } }: AgentConfig,
  is_reached: boolean,
  { home, config_path, env, tools, tools_config }: WallsOptions,
): Walls {
  const workspace = resolve(home, sandbox.workspace ?? join("agents", id, "workspace"))
  const read = sandbox.read.map((path) => resolve(home, path))
  const write = sandbox.write.map((path) => resolve(home, path))
  const { exec_memory_bytes_max, exec_processes_max, exec_file_bytes_max } = tools_config
  return {
    rules: parseRules(permissions, tools, workspace),
    files: { workspace, read, write, forbidden: [config_path, ...own_files.map((name) => join(home, name))] },
    sandbox: {
      // Who talks to it from elsewhere is a stranger until the configuration says otherwise.
      mode: sandbox.mode ?? (is_reached ? "require" : "prefer"),
      workspace,
      read,
      write,
      network: sandbox.network,
    },
    limits: {
      memory_bytes_max: exec_memory_bytes_max,
      processes_max: exec_processes_max,
      file_bytes_max: exec_file_bytes_max,
    },
    run_folder: join(home, "run"),
    env,
    config: tools_config,
  }
}
