/** Calls a tool of a plugin: of a file in a runner of this process, of a configured one through the gateway. */
import { existsSync, statSync } from "node:fs"
import { defineCommand } from "citty"
import { AppError } from "../../base/errors.ts"
import { modelName } from "../../plugins/description/describe.ts"
import { inputParser } from "../../plugins/description/input.ts"
import type { Outgoing, PluginAdapter } from "../../plugins/plugin.ts"
import { type GatewayArgs, gateway_args } from "../args.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { note, printJson, printResult } from "../output.ts"
import { deniedHint } from "../stream.ts"
import { openAlone } from "./alone.ts"

type Answer = { content: string; is_error: boolean }

export const call = (deps: Deps) =>
  defineCommand({
    meta: { name: "call", description: "Call a tool of a plugin, as a model would" },
    args: {
      plugin: {
        type: "positional",
        required: true,
        description: "A module's file, or a plugin as the configuration calls it",
      },
      tool: {
        type: "positional",
        required: true,
        description: "Which of its tools; of an adapter parse_incoming or format_outgoing",
      },
      input: {
        type: "positional",
        required: false,
        description: "JSON, @file, or - for standard input; {} by default",
      },
      grant: {
        type: "string",
        description:
          "For a file: what it is granted, such as http:api.example.com; several times. A secret's value is the variable of its name",
      },
      agent: { type: "string", description: "For a configured one: whose rules hold; the default agent" },
      session: {
        type: "string",
        valueHint: "key",
        description: "For a configured one: as in this conversation, with the stores that are its own",
      },
      ...gateway_args,
    },
    async run({ args, rawArgs }) {
      const grants = repeated(rawArgs, "grant")
      const input = await readInput(args.input)
      const is_file = args.plugin.endsWith(".wasm") || isFile(args.plugin)
      if (!is_file && grants.length > 0) {
        throw new UsageError("What a configured plugin is granted stands in the configuration.")
      }
      const answer = is_file
        ? await callFile(args.plugin, args.tool, input, grants)
        : await callConfigured(deps, args, parseInput(input))
      await (args.json ? printJson(answer) : printResult(answer.content))
      if (answer.is_error) process.exitCode = 1
    },
  })

/** A folder with the name of a plugin is where its source lies. */
const isFile = (path: string): boolean => existsSync(path) && !statSync(path).isDirectory()

async function callFile(path: string, tool: string, text: string, grants: string[]): Promise<Answer> {
  await using alone = await openAlone(path, grants)
  const { info, name, plugins, of } = alone
  if (info.state !== "ready") throw new AppError("plugin_refused", { plugin: name, reason: info.reason })
  const adapter = plugins.adapter(name)
  if (adapter) return await answered(() => callAdapter(adapter, tool, text, of.signal))
  const input = parseInput(text)
  const found = plugins.tools().find((one) => [tool, modelName(name, tool)].includes(one.name))
  if (!found) throw new AppError("not_found", { tool, tools: info.tools.join(" ") })
  inputParser(found.input_schema)(input)
  return await answered(() => found.call(input, of))
}

/** What a platform would send in, or an answer `{content, reply?}` for it. Shows what the gateway makes of the result. */
async function callAdapter(
  adapter: PluginAdapter,
  name: string,
  text: string,
  signal: AbortSignal,
): Promise<Answer> {
  const run = {
    parse_incoming: () => adapter.parseIncoming(new TextEncoder().encode(text), signal),
    format_outgoing: () => adapter.formatOutgoing(parseInput(text) as Outgoing, signal),
  }[name]
  if (!run) throw new AppError("not_found", { tool: name, tools: "parse_incoming format_outgoing" })
  const shown = (_: string, value: unknown) =>
    value instanceof Uint8Array ? new TextDecoder().decode(value) : value
  return { content: JSON.stringify(await run(), shown), is_error: false }
}

/** Why there is no answer is what whoever tries it out wants to know. */
async function answered(run: () => Promise<Answer>): Promise<Answer> {
  try {
    return await run()
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown instanceof AppError || thrown instanceof UsageError) throw thrown
    return { content: thrown.message, is_error: true }
  }
}

async function callConfigured(
  deps: Deps,
  args: GatewayArgs & {
    plugin: string
    tool: string
    agent?: string | undefined
    session?: string | undefined
  },
  input: unknown,
): Promise<Answer> {
  await using gateway = await openGateway(args, deps, { start: true })
  const { plugins } = await gateway.client.call("plugin.list", {}, { retry: true })
  const found = plugins.find(({ name }) => name === args.plugin)
  if (!found) throw new AppError("not_found", { plugin: args.plugin })
  const { state, reason } = found
  if (state !== "ready") throw new AppError("plugin_refused", { plugin: args.plugin, state, reason })
  const name = found.tools.find((one) => [args.tool, modelName(args.plugin, args.tool)].includes(one))
  if (name === undefined) {
    throw new AppError("not_found", { tool: args.tool, tools: found.tools.join(" ") })
  }
  const { agent, session: session_key } = args
  const of = { ...(agent && { agent }), ...(session_key && { session_key }) }
  const answer = await gateway.client.call("tool.call", { name, input, ...of })
  if (answer.is_error) explain(answer.content, session_key ? [] : found.granted)
  return answer
}

/** What a call from here lacks, and a call in a conversation has. */
function explain(content: string, granted: readonly string[]): void {
  const hint = deniedHint(content)
  if (hint) note(hint)
  const stores = granted.filter((one) => one.startsWith("store:") && !one.endsWith(":agent"))
  if (stores.length > 0)
    note(
      `Without --session a call from here has no ${stores.join(" and no ")}; weft session list has the keys.`,
    )
}

async function readInput(text = "{}"): Promise<string> {
  if (text === "-") return await Bun.stdin.text()
  if (!text.startsWith("@")) return text
  const path = text.slice(1)
  if (!isFile(path)) throw new UsageError(`There is no file ${path}.`)
  return await Bun.file(path).text()
}

function parseInput(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    throw new UsageError(`The input is no JSON: ${thrown.message}.`)
  }
}

/** The parser keeps the last one only. */
function repeated(args: readonly string[], name: string): string[] {
  const end = args.indexOf("--")
  return args.slice(0, end === -1 ? undefined : end).flatMap((arg, index) => {
    if (arg === `--${name}`) return [args[index + 1]!]
    return arg.startsWith(`--${name}=`) ? [arg.slice(name.length + 3)] : []
  })
}
