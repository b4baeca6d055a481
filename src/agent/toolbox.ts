/** Which of its tools an agent's model is told of: rarely needed ones by name only, until it asks for them. */
import { Type } from "@sinclair/typebox"
import type { ToolUse } from "../base/parts.ts"
import type { ModelMessage, ToolSpec } from "../providers/provider.ts"
import { type AnyTool, defineTool } from "../tools/tool.ts"

export const use_tools_name = "use_tools"

export type Toolbox = {
  /** Every tool that can be called now, whether or not the model was told its schema. */
  find(name: string): AnyTool | undefined
  names(): string[]
  /** What the model is told, by the time of the next call. */
  specs(): ToolSpec[]
  load(names: readonly string[]): void
}

/** What a conversation has used before is loaded from the start, so that its earlier calls have their schema. */
export function openToolbox(tools: readonly AnyTool[], messages: readonly ModelMessage[]): Toolbox {
  const loaded = new Set(usedIn(messages))
  const isShown = (tool: AnyTool) => !tool.deferred || loaded.has(tool.name)
  const useTools = loader(
    () => tools.filter((tool) => !isShown(tool)),
    (name) => loaded.add(name),
  )
  const all = () => (tools.every(isShown) ? tools : [...tools, useTools()])
  return {
    find: (name) => all().find((tool) => tool.name === name),
    names: () => all().map(({ name }) => name),
    specs: () => all().filter(isShown).map(toSpec),
    load: (names) => {
      for (const name of names) loaded.add(name)
    },
  }
}

export const toSpec = ({ name, description, params }: AnyTool): ToolSpec => ({
  name,
  description,
  input_schema: params,
})

/** The tool that loads the others. Its description changes with what is left to load. */
const loader = (left: () => AnyTool[], load: (name: string) => void) => () => {
  const names = left().map(({ name }) => name)
  return defineTool({
    name: use_tools_name,
    description: `Load further tools before calling them: ${names.join(", ")}.`,
    effect: "none",
    exclusive: true,
    params: Type.Object(
      { names: Type.Array(Type.String(), { minItems: 1, description: "Their names." }) },
      { additionalProperties: false },
    ),
    run({ names: wanted }) {
      const unknown = wanted.filter((name) => !names.includes(name))
      for (const name of wanted) if (names.includes(name)) load(name)
      if (unknown.length > 0)
        throw new Error(`There is no ${unknown.join(", ")} to load, but ${names.join(", ")}.`)
      return `Loaded: ${wanted.join(", ")}. Call them now.`
    },
  })
}

function usedIn(messages: readonly ModelMessage[]): string[] {
  const calls = messages.flatMap(({ parts }) =>
    parts.filter((part): part is ToolUse => part.type === "tool_use"),
  )
  return calls.flatMap(({ name, input }) => {
    const { names } = (input ?? {}) as { names?: unknown }
    return name === use_tools_name && Array.isArray(names)
      ? names.filter((one) => typeof one === "string")
      : [name]
  })
}
