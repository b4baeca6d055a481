import { expect, test } from "bun:test"
import { Type } from "@sinclair/typebox"
import { chainFor, openAgents } from "../../src/agent/agents.ts"
import { agentSection } from "../../src/agent/config.ts"
import { nameOf } from "../../src/agent/model.ts"
import { parser } from "../../src/base/schema.ts"
import { defineTool, type Effect } from "../../src/tools/tool.ts"
import { scripted, walls_options } from "./scripted.ts"

const models = scripted(() => [])
const parse = parser(agentSection.schema)
const tool = (name: string, effect: Effect, group = "eyes") =>
  defineTool({ name, description: name, effect, group, params: Type.Object({}), run: () => "" })
const tools = [tool("look", "none"), tool("read", "read"), tool("write", "write", "hands")]

const open = (config: object) =>
  openAgents({ agent: parse(config), agents: [], models, tools, folder: "/", ...walls_options }).get(
    "default",
  )!

test.each([
  [undefined, ["look", "read"]],
  [["*"], ["look", "read", "write"]],
  [["hands"], ["write"]],
  [
    ["read", "look"],
    ["look", "read"],
  ],
  [[], []],
])("with tools %p an agent has %p", (wanted, names) => {
  expect(open(wanted ? { tools: wanted } : {}).tools.map(({ name }) => name)).toEqual(names)
})

test.each([["look"], ["eyes"]])("a tool without an effect is taken away where %p is denied", (rule) => {
  const config = { tools: ["*"], permissions: { allow: ["read", "write"], deny: [rule] } }
  expect(open(config).tools.map(({ name }) => name)).toEqual(["read", "write"])
})

const config = {
  ...{
    provider: "one",
    model: "a",
    max_tokens: 100,
    temperature: 0,
    api_key: "k",
    models: ["b", "two/c", "a"],
  },
  fallback: { provider: "two", model: "d", max_tokens: 10 },
}

test("an agent's models are its chain and those that may be asked for, each once", () => {
  expect(open(config).models).toEqual(["one/a", "two/d", "one/b", "two/c"])
})

test.each([
  [undefined, ["one/a", "two/d"]],
  ["a", ["one/a", "two/d"]],
  ["b", ["one/b", "one/a", "two/d"]],
  ["one/b", ["one/b", "one/a", "two/d"]],
  ["two/c", ["two/c", "one/a", "two/d"]],
  ["two/d", ["two/d", "one/a"]],
])("asked for %p the chain is %p", (model, names) => {
  const agent = open(config)
  expect(chainFor(agent, model, models).map(nameOf)).toEqual(names)
})

test("a key is for the provider that it was given for, the other settings go along", () => {
  const agent = open(config)
  expect(chainFor(agent, "b", models)[0]).toEqual({
    ...{ provider: "one", model: "b", tokens_max: 100, temperature: 0, api_key: "k" },
  })
  expect(chainFor(agent, "two/c", models)[0]).toEqual({
    ...{ provider: "two", model: "c", tokens_max: 100, temperature: 0 },
  })
  expect(chainFor(agent, "two/d", models)[0]).toEqual({ provider: "two", model: "d", tokens_max: 10 })
})

test.each(["c", "two/a", "three/a", "one/", ""])("%p may not be asked for", (model) => {
  expect(() => chainFor(open(config), model, models)).toThrow(expect.objectContaining({ code: "forbidden" }))
})
