/** A plugin's tool as one of an agent's: what its grants let it do is what rules and people are asked about. */
import type { TObject } from "@sinclair/typebox"
import { effectOf, folderTargets, hostTargets, isPlaceGranted } from "../plugins/host/grants.ts"
import type { PluginTool } from "../plugins/plugin.ts"
import { realPath } from "../security/real-path.ts"
import type { Target } from "../security/target.ts"
import type { AnyTool, ToolContext } from "../tools/tool.ts"

/** More than any model takes in at once; what is stored of it is shown by `read_result`. */
const content_chars_max = 1_048_576

/**
 * Without grants for hosts and folders it has no effect, and nobody is asked about it. Otherwise each of them is a target
 * of every call, whatever its input: only the plugin knows what it makes of that. The walls ask again for what it uses.
 */
export function toTool(plugin: PluginTool): AnyTool {
  const { name, alias, description, input_schema, capabilities, deferred } = plugin
  const effect = effectOf(capabilities)
  return {
    ...{ name, alias, description, effect },
    ...(deferred && { deferred }),
    group: plugin.plugin,
    kinds: ["host", "path"],
    // The provider hands it on as it is, and nothing here reads it as one of our own.
    params: input_schema as unknown as TObject,
    parse: (value) => plugin.parse(value),
    ...(effect !== "none" && {
      targets: (_params: unknown, context: ToolContext) => targetsOf(plugin, context),
      opens: (host: string, port: number) => isPlaceGranted(capabilities, host, port),
    }),
    async run(input, { agent, session_key, signal, fetch, openFolder }) {
      const { content, is_error } = await plugin.call(input, {
        agent,
        session_key,
        signal,
        fetch,
        openFolder,
      })
      const text = bounded(content)
      if (is_error) throw new Error(text)
      return text
    },
  }
}

async function targetsOf(plugin: PluginTool, context: ToolContext): Promise<Target[]> {
  const { capabilities } = plugin
  const { toHostTarget } = await import("../security/web/resolve.ts")
  const [first, ...others] = [
    ...hostTargets(capabilities, toHostTarget),
    // Where links lead is what the walls will find.
    ...folderTargets(capabilities, (path, effect) => context.files.toTargetAnywhere(realPath(path), effect)),
  ]
  // What was allowed for longer was allowed for the code that it was asked about, as with a script.
  return first ? [{ ...first, note: [first.note, codeOf(plugin)].filter(Boolean).join("; ") }, ...others] : []
}

const codeOf = ({ plugin, sha256, manifest_sha256 }: PluginTool): string =>
  `all of it by the plugin ${plugin} of sha256 ${sha256}${manifest_sha256 && ` and its manifest of ${manifest_sha256}`}`

function bounded(content: string): string {
  if (content.length <= content_chars_max) return content
  const left = content.length - content_chars_max
  return `${content.slice(0, content_chars_max)}\n[${left} more characters are left out.]`
}
