/** A plugin's tool as one of an agent's. */
import type { PluginTool } from "../plugins/plugin.ts"
import type { AnyTool } from "../tools/tool.ts"

export function toTool(_plugin: PluginTool): AnyTool {
  throw new Error("assertion failed: plugins are no tools yet")
}
