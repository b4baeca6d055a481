import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { openToolbox } from "../../src/agent/toolbox.ts"
import type { ToolUse } from "../../src/base/parts.ts"
import type { ModelMessage } from "../../src/providers/provider.ts"
import { defineTool, type ToolContext } from "../../src/tools/tool.ts"

const tool = (name: string, deferred = false) =>
  defineTool({
    ...{ name, description: `${name}.`, effect: "none", params: Type.Object({}), run: () => "" },
    ...(deferred && { deferred }),
  })
const tools = [tool("look"), tool("rare", true), tool("rarer", true)]
const said = (name: string, input: unknown): ModelMessage => ({
  role: "assistant",
  parts: [{ type: "tool_use", id: "1", name, input } satisfies ToolUse],
})
const namesOf = (box: ReturnType<typeof openToolbox>) => box.specs().map(({ name }) => name)

test("rarely used tools are told by name until they are asked for", () => {
  const box = openToolbox(tools, [])
  expect(namesOf(box)).toEqual(["look", "use_tools"])
  expect(box.specs().at(-1)?.description).toContain("rare, rarer")
  const useTools = box.find("use_tools")!
  expect(useTools.run({ names: ["rare"] }, {} as ToolContext)).toBe("Loaded: rare. Call them now.")
  expect(namesOf(box)).toEqual(["look", "rare", "use_tools"])
  expect(() => box.find("use_tools")!.run({ names: ["look"] }, {} as ToolContext)).toThrow("no look to load")
  box.find("use_tools")!.run({ names: ["rarer"] }, {} as ToolContext)
  expect(namesOf(box)).toEqual(["look", "rare", "rarer"])
})

test("a tool that was not loaded can be called all the same", () => {
  expect(openToolbox(tools, []).find("rare")?.name).toBe("rare")
})

test("without such tools there is nothing to load them by", () => {
  expect(namesOf(openToolbox([tool("look")], []))).toEqual(["look"])
})

test.each([
  ["used", said("rare", {})],
  ["loaded", said("use_tools", { names: ["rare"] })],
])("what the conversation has %s before is loaded from the start", (_how, message) => {
  expect(namesOf(openToolbox(tools, [message]))).toEqual(["look", "rare", "use_tools"])
})

test.each([null, "rare", { names: "rare" }, { names: [1, null] }, {}])(
  "what a model wrote instead of names (%j) loads nothing",
  (input) => {
    expect(namesOf(openToolbox(tools, [said("use_tools", input)]))).toEqual(["look", "use_tools"])
  },
)
