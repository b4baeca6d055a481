import type { Described } from "./plugin.ts"

/** Why what a plugin says of itself is not taken: a sentence for the operator. */
export class DescriptionRefused extends Error {
  override name = "DescriptionRefused"
}

/** What `describe` returned, checked. `kind` is what the manifest says, undefined where there is none. Throws DescriptionRefused. */
export function readDescription(
  _output: Uint8Array,
  _kind: "tool" | "channel" | undefined,
  _plugin: string,
): Described {
  throw new DescriptionRefused("not yet")
}

/** A tool's name for models: the described one where it is the plugin's or begins with it, else with the plugin's in front. */
export function modelName(_plugin: string, tool: string): string {
  return tool
}
