/** The tools of a plugin that is in service: a call in its engine's form, and its answer in ours. */
import { type Static, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { once } from "../../base/once.ts"
import { parser } from "../../base/schema.ts"
import type { Capability } from "../../config/capability.ts"
import { fillArgs, toText } from "../description/args.ts"
import { bytesOf, modelName, toAlias } from "../description/describe.ts"
import { inputParser } from "../description/input.ts"
import { readJson } from "../json.ts"
import { type CallRequest, type CallResult, PluginFailed } from "../module.ts"
import type { ManifestTool, PluginCall, PluginTool } from "../plugin.ts"
import { type GivenFolder, readFolders, writeFolders } from "./folders.ts"
import type { InService } from "./look.ts"

export type ToolDeps = {
  /**
   * Runs a call of what is in service, within what it is granted of `capabilities` by now. Throws Error with a sentence
   * for the model where it is out of service, and PluginFailed.
   */
  run(capabilities: readonly Capability[], of: PluginCall, request: ToolRequest): Promise<CallResult>
}

export type ToolRequest = Pick<CallRequest, "function" | "input" | "args" | "folders">

const Answer = Type.Object({ content: Type.String(), is_error: Type.Boolean({ default: false }) })
const parseAnswer = once(() => parser(Answer))

/** What each request costs that an agent makes with a plugin's tools: some 4,000 tokens. */
const shown_bytes_max = 16_384

/** What a model can take in of what a program says about its failure. */
const failure_chars_max = 16_384

export function toTools(
  plugin: string,
  { described, manifest, manifest_sha256, module }: InService,
  capabilities: readonly Capability[],
  deps: ToolDeps,
): PluginTool[] {
  if (described.kind !== "tool") return []
  const is_long = bytesOf(described.tools) > shown_bytes_max
  return described.tools.map(({ name, description, input_schema }) => {
    const parse = once(() => inputParser(input_schema))
    return {
      plugin,
      name: modelName(plugin, name),
      alias: toAlias(plugin, name),
      description,
      input_schema,
      capabilities,
      ...(is_long && { deferred: true }),
      sha256: module.sha256,
      manifest_sha256,
      parse: (input) => parse()(input),
      async call(input, of) {
        const run = (request: ToolRequest) => deps.run(capabilities, of, request)
        if (module.engine === "reactor") {
          const folders = givenFolders(capabilities).map(({ path, writable }) => ({
            path,
            writable,
            files: {},
          }))
          const { output } = await run({
            function: "handle_tool_call",
            input: encode({ name, input }),
            folders,
          })
          return toAnswer(output)
        }
        const program = manifest?.tools.find((tool) => tool.name === name)
        const request = program ? filled(program, input) : asked({ name, input })
        const { output, stderr, exit_code = 0 } = await withFolders(capabilities, of, deps, request)
        if (exit_code !== 0) return { content: failure(exit_code, stderr, output), is_error: true }
        return program ? { content: new TextDecoder().decode(output), is_error: false } : toAnswer(output)
      },
    }
  })
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

const asked = (value: unknown): ToolRequest => ({ function: "", args: ["call"], input: encode(value) })

function filled({ args, stdin }: ManifestTool, input: unknown): ToolRequest {
  const fields = input as Record<string, unknown>
  const text = stdin === undefined ? undefined : toText(fields[stdin])
  return { function: "", args: fillArgs(args, fields), input: new TextEncoder().encode(text ?? "") }
}

async function withFolders(
  capabilities: readonly Capability[],
  of: PluginCall,
  { run }: ToolDeps,
  request: ToolRequest,
): Promise<CallResult> {
  const given = givenFolders(capabilities)
  const before = await readFolders(given, of.openFolder)
  const result = await run(capabilities, of, { ...request, folders: before })
  await writeFolders(given, before, result.folders ?? [], of.openFolder)
  return result
}

/** By the names that the plugin knows them by. */
const givenFolders = (capabilities: readonly Capability[]): GivenFolder[] =>
  capabilities.flatMap((grant) => {
    if (grant.type !== "fs") return []
    const { path, name = path, writable } = grant
    return [{ path: name, absolute: path, writable }]
  })

function failure(exit_code: number, stderr: string, output: Uint8Array): string {
  const said = stderr.trim() || new TextDecoder().decode(output).trim()
  return `It ended with the status ${exit_code}.${said ? `\n${said.slice(-failure_chars_max)}` : ""}`
}

function toAnswer(output: Uint8Array): Static<typeof Answer> {
  try {
    const { content, is_error } = parseAnswer()(readJson(output, "it"))
    return { content, is_error }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    throw new PluginFailed("output", "it returned something else than {content, is_error}")
  }
}
