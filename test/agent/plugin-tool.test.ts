import { expect, test } from "bun:test"
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Approval } from "../../src/agent/approvals.ts"
import type { AgentConfig } from "../../src/agent/config.ts"
import { toTool } from "../../src/agent/plugin-tool.ts"
import { inputParser } from "../../src/plugins/description/input.ts"
import { openHost } from "../../src/plugins/host/calls.ts"
import type { PluginCall, PluginTool } from "../../src/plugins/plugin.ts"
import { parseRules } from "../../src/security/permissions.ts"
import { listToolCalls } from "../../src/store/tool-calls.ts"
import { temporaryFolder } from "../harness.ts"
import { toGrants } from "../plugins/guest.ts"
import { startRemote } from "../security/web/remote.ts"
import { done, type HouseOptions, openHouse, text, use } from "./scripted.ts"

type Options = Partial<PluginTool> & {
  grants?: string[]
  /** What the plugin does: the host functions that it calls, each `[name, argument, bytes]`. */
  asks?: [name: string, argument: object, bytes?: string | undefined][]
}

const schema = { type: "object", properties: { text: { type: "string" } } }

/** The plugin "notes" with the tool "add", which says what the host functions answered to it. */
function plugin({ grants = [], asks = [], input_schema = schema, ...more }: Options = {}): PluginTool {
  const capabilities = toGrants(grants)
  return {
    plugin: "notes",
    name: "notes_add",
    alias: "notes.add",
    description: "add",
    input_schema,
    capabilities,
    sha256: "11",
    manifest_sha256: "22",
    parse: (input) => inputParser(input_schema)(input),
    async call(_input, of) {
      const host = hostOf(of, capabilities)
      const answers: string[] = []
      for (const [name, argument, bytes] of asks) {
        const json = Buffer.from(JSON.stringify(argument))
        const length = Buffer.from(Uint32Array.of(json.length).buffer)
        const all = name.startsWith("fs_") ? Buffer.concat([length, json, Buffer.from(bytes ?? "")]) : json
        const answer = await host(name, all)
        answers.push("error" in answer ? answer.error : `ok ${Buffer.from(answer.bytes)}`)
      }
      return { content: answers.join("\n"), is_error: false }
    },
    ...more,
  }
}

const hostOf = (of: PluginCall, capabilities: PluginTool["capabilities"]) =>
  openHost({
    ...of,
    plugin: "notes",
    capabilities,
    findSecret: () => undefined,
    input: new Uint8Array(),
    output_bytes_max: 1 << 20,
    store: { db: undefined as never, commit: () => Promise.reject(new Error("no store here")) } as never,
    log: { info: () => undefined, warn: () => undefined },
    now_ms: () => 1,
  })

type Turn = { said: string; is_error: boolean; verdict: string; decided_by: string; summaries: string[] }

/** One call of the tool in a turn of an agent; whoever is asked says yes. */
async function callOnce(tool: PluginTool, config: object, more: HouseOptions = {}): Promise<Turn> {
  const summaries: string[] = []
  const calls: HouseOptions["calls"] = (approvals) => ({
    isHeard: () => true,
    onRequested({ approval_id, hash, summary }: Approval) {
      summaries.push(summary)
      void approvals().resolve({ approval_id, hash, decision: "allow", lasts: "once", by: "ann" })
    },
  })
  await using house = await openHouse({
    tools: [toTool(tool)],
    config: { tools: ["*"], ...config },
    calls,
    *script(_asked, call) {
      if (call === 0) yield use(tool.name, { text: "a" })
      else yield text("over")
      yield done(call === 0 ? "tool_use" : "end")
    },
    ...more,
  })
  const turn = house.say("go")
  await turn.outcome
  const [result] = turn.log.entries.flatMap(({ event }) => (event.type === "tool_result" ? [event] : []))
  const [row] = listToolCalls(house.store.db, { limit: 9 })
  return {
    said: result!.content,
    is_error: result!.is_error,
    verdict: row?.verdict ?? "none",
    decided_by: row?.decided_by ?? "none",
    summaries,
  }
}

const rules = (permissions: Partial<NonNullable<AgentConfig["permissions"]>>) => ({
  permissions: { allow: [], ask: [], deny: [], ...permissions },
})

test.each([
  [[], "none"],
  [["store:a", "store:b:agent", "env:X", "secret:Y"], "none"],
  [["fs:/a:ro", "store:a"], "read"],
  [["http:a.test", "fs:/a:ro"], "network"],
  [["http:a.test", "fs:/a:ro", "fs:/b:rw"], "write"],
])("the effect of a plugin's tool is the gravest of its grants: %j", (grants, effect) => {
  expect(toTool(plugin({ grants })).effect).toBe(effect as never)
})

test("a plugin without hosts and folders runs without a question, and reaches nothing", async () => {
  const asks: Options["asks"] = [
    ["http_fetch", { url: "https://a.test/" }],
    ["fs_read", { folder: "/", path: "etc/passwd" }],
  ]
  const turn = await callOnce(plugin({ asks }), {})
  expect(turn).toMatchObject({ said: "denied\ndenied", decided_by: "no effect", summaries: [] })
  // Even where it would be granted by a mistake.
  const forged = { ...plugin({ asks }), call: plugin({ grants: ["http:a.test", "fs:/:ro"], asks }).call }
  expect(await callOnce(forged, {})).toMatchObject({ said: "denied\ndenied", summaries: [] })
})

test("what it says is the result, and its error an error", async () => {
  const call = async () => ({ content: "no such note", is_error: true })
  expect(await callOnce(plugin({ call }), {})).toMatchObject({ said: "no such note", is_error: true })
  const long = async () => ({ content: "x".repeat(1_100_000), is_error: false })
  const { said } = await callOnce(plugin({ call: long }), {})
  expect(said).toContain("read_result has all of it")
  expect(said).toEndWith("[51424 more characters are left out.]")
})

test("what it says in an error is text that a provider takes", async () => {
  const call = async () => ({ content: `${"x".repeat(1_048_575)}\u{1f600}\ud800`, is_error: true })
  expect((await callOnce(plugin({ call }), {})).said.isWellFormed()).toBe(true)
  const short = async () => ({ content: "half a character: \ud800", is_error: true })
  const turn = await callOnce(plugin({ call: short }), {})
  expect(turn).toMatchObject({ said: "half a character: \ufffd", is_error: true })
})

test("an input that its schema does not take never reaches it", async () => {
  let calls = 0
  const call = async () => ({ content: `${++calls}`, is_error: false })
  const input_schema = { type: "object", properties: { text: { type: "number" } } }
  const turn = await callOnce(plugin({ call, input_schema }), {})
  expect(turn.said).toContain("does not match the tool's schema at /text")
  expect(calls).toBe(0)
})

/** "#" stands for a port of this machine, where something answers. */
const verdicts: [what: string, grants: string[], config: object, expected: Partial<Turn>][] = [
  [
    "no rules: a person is asked about all its hosts",
    ["http:127.0.0.1:#"],
    {},
    { decided_by: "ann", said: "ok" },
  ],
  ["the plugin is allowed", ["http:127.0.0.1:#"], rules({ allow: ["notes"] }), { said: "ok", summaries: [] }],
  [
    "its tool by its alias",
    ["http:127.0.0.1:#"],
    rules({ allow: ["notes.add"] }),
    { said: "ok", summaries: [] },
  ],
  [
    "its tool by its name",
    ["http:127.0.0.1:#"],
    rules({ allow: ["notes_add"] }),
    { said: "ok", summaries: [] },
  ],
  [
    "the alias with the host",
    ["http:127.0.0.1:#"],
    rules({ allow: ["notes.add:127.0.0.1:#"] }),
    { said: "ok", summaries: [] },
  ],
  ["the effect with the host", ["http:127.0.0.1:#"], rules({ allow: ["network:127.0.0.1"] }), { said: "ok" }],
  ["another plugin's alias", ["http:127.0.0.1:#"], rules({ allow: ["other.add"] }), { verdict: "deny" }],
  ["another tool's alias", ["http:127.0.0.1:#"], rules({ allow: ["notes.remove"] }), { verdict: "deny" }],
  ["another host", ["http:127.0.0.1:#"], rules({ allow: ["notes.add:other.test"] }), { verdict: "deny" }],
  [
    "the host denied",
    ["http:127.0.0.1:#"],
    rules({ allow: ["notes"], deny: ["network:127.*"] }),
    { verdict: "deny" },
  ],
  [
    "the tool denied",
    ["http:127.0.0.1:#"],
    rules({ allow: ["network"], deny: ["notes.add"] }),
    { verdict: "deny" },
  ],
  ["the plugin denied", ["http:127.0.0.1:#"], rules({ allow: ["*"], deny: ["notes"] }), { verdict: "deny" }],
  [
    "asked about the network, allowed the plugin",
    ["http:127.0.0.1:#"],
    rules({ allow: ["notes"], ask: ["network"] }),
    { said: "ok", summaries: [] },
  ],
  [
    "asked about the plugin, allowed the network",
    ["http:127.0.0.1:#"],
    rules({ allow: ["network"], ask: ["notes.add"] }),
    { said: "ok", decided_by: "ann" },
  ],
  [
    "a private host without its port",
    ["http:localhost"],
    rules({ allow: ["notes"] }),
    { said: "denied", verdict: "allow" },
  ],
  [
    "one of its hosts is denied",
    ["http:127.0.0.1:#", "http:db.internal:1"],
    rules({ allow: ["notes"], deny: ["network:*.internal"] }),
    { verdict: "deny" },
  ],
  [
    "a host that is asked about and granted by itself, too",
    ["http:127.0.0.1:#", "http:*.test", "http:pay.test"],
    rules({ allow: ["notes"], ask: ["network:pay.test"] }),
    { said: "ok", decided_by: "ann" },
  ],
  [
    "the same below a wildcard alone, where nobody is asked",
    ["http:127.0.0.1:#", "http:*.test"],
    rules({ allow: ["notes"], ask: ["network:pay.test"] }),
    { said: "ok", summaries: [] },
  ],
  [
    "a host below a wildcard, which is not opened by it",
    ["http:*.localhost:#"],
    rules({ allow: ["notes"] }),
    { said: "denied", verdict: "allow" },
  ],
  [
    "a pattern about hosts holds for a tool that also writes",
    ["http:127.0.0.1:#", "fs:/nonexistent/a:rw"],
    rules({ allow: ["notes"], deny: ["notes:127.0.0.1"] }),
    { verdict: "deny" },
  ],
]

test.each(verdicts)("rules about a plugin's hosts: %s", async (_, grants, config, expected) => {
  await using remote = await startRemote()
  const port = `${remote.port}`
  const filled = JSON.parse(JSON.stringify(config).replaceAll("#", port))
  await using folder = await temporaryFolder()
  const host = grants[0]!.includes("localhost") ? "a.localhost" : "127.0.0.1"
  const own = grants[0] === "http:localhost" ? "http://localhost" : `http://${host}:${port}`
  const tool = plugin({
    grants: grants.map((grant) => grant.replace("#", port)),
    asks: [["http_fetch", { url: `${own}/` }]],
  })
  const turn = await callOnce(tool, filled, { folder: folder.path })
  const { said, ...rest } = expected
  expect(turn).toMatchObject(rest)
  if (said === "ok") expect(turn.said).toContain('"body":"canary"')
  else if (said) expect(turn.said).toBe(said)
  expect(remote.connections).toBe(said === "ok" ? 1 : 0)
})

test("a person is told of all hosts and folders, what stands for more, and what may be sent there", async () => {
  await using folder = await temporaryFolder()
  const grants = [
    "http:*.example.com",
    "http:localhost:1",
    "fs:/nonexistent/a:rw",
    "secret:KEY",
    "env:LANG",
    "store:x",
  ]
  const { summaries } = await callOnce(plugin({ grants }), {}, { folder: folder.path })
  expect(summaries[0]!.split("\n")).toEqual([
    'notes_add of the agent "default" would',
    "- network *.example.com:443 (any host below example.com; may be sent the secrets KEY; may be told the variables LANG; all of it by the plugin notes of sha256 11 and its manifest of 22)",
    "- network localhost:1 (this machine; may be sent the secrets KEY; may be told the variables LANG)",
    "- read /nonexistent/a (any file below it)",
    "- write /nonexistent/a (any file below it)",
    "  text = a",
  ])
})

test.each([
  ["nothing", {}, 1],
  ["its code", { sha256: "12" }, 2],
  ["its manifest", { manifest_sha256: "" }, 2],
  ["what else it is granted", { capabilities: toGrants(["http:localhost:1", "fs:/nonexistent/a:ro"]) }, 2],
] as [string, Partial<PluginTool>, number][])(
  "an answer for longer holds until the plugin is another one: %s changes",
  async (_, change, asked) => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, "weft.db")
    let count = 0
    for (const more of [{}, change]) {
      const { summaries } = await callOnce(
        plugin({ grants: ["http:localhost:1"], ...more }),
        {},
        {
          path,
          folder: folder.path,
          calls: (approvals) => ({
            isHeard: () => true,
            onRequested({ approval_id, hash }: Approval) {
              count += 1
              void approvals().resolve({ approval_id, hash, decision: "allow", lasts: "always", by: "ann" })
            },
          }),
        },
      )
      expect(summaries).toEqual([])
    }
    expect(count).toBe(asked)
  },
)

async function openFolders() {
  const folder = await temporaryFolder()
  const at = (...names: string[]) => join(folder.path, ...names)
  mkdirSync(at("agents", "default", "workspace", "docs"), { recursive: true })
  mkdirSync(at("data"))
  mkdirSync(at("run"))
  writeFileSync(at("agents", "default", "workspace", "docs", "a"), "in the workspace")
  writeFileSync(at("agents", "default", "workspace", "other"), "beside")
  writeFileSync(at("data", "a"), "hello")
  writeFileSync(at("data", "private"), "private")
  writeFileSync(at("token"), "token")
  symlinkSync("data", at("link"))
  return { at, path: folder.path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

/** "@" stands for the folder of all of them. */
const folders: [
  string,
  string,
  object,
  [file: string, bytes: string | undefined, answer: string][],
  number,
][] = [
  ["no rules: asked", "fs:@/data:ro", {}, [["a", undefined, "ok hello"]], 1],
  [
    "no rules, for writing",
    "fs:@/data:rw",
    {},
    [
      ["b/c", "made", "ok "],
      ["b/c", undefined, "ok made"],
    ],
    1,
  ],
  [
    "by a link",
    "fs:@/link:rw",
    {},
    [
      ["a", "new", "ok "],
      ["a", undefined, "ok new"],
    ],
    1,
  ],
  [
    "in the workspace",
    "fs:@/agents/default/workspace/docs:ro",
    {},
    [
      ["a", undefined, "ok in the workspace"],
      ["a", "x", "denied"],
      ["../other", undefined, "denied"],
    ],
    0,
  ],
  [
    "the workspace",
    "fs:@/agents/default/workspace:rw",
    {},
    [
      ["other", "new", "ok "],
      ["docs/a", "x", "ok "],
    ],
    1,
  ],
  [
    "around the workspace",
    "fs:@/agents:rw",
    {},
    [
      ["default/workspace/other", "new", "ok "],
      ["x", "y", "ok "],
    ],
    1,
  ],
  [
    "a file of it denied",
    "fs:@/data:rw",
    rules({ allow: ["notes"], deny: ["read:@/data/private", "write:@/data/private"] }),
    [
      ["a", undefined, "ok hello"],
      ["private", undefined, "denied"],
      ["private", "x", "denied"],
    ],
    0,
  ],
  [
    "a file of it asked about, which nobody was",
    "fs:@/data:ro",
    rules({ allow: ["notes"], ask: ["read:@/data/private"] }),
    [
      ["a", undefined, "ok hello"],
      ["private", undefined, "denied"],
    ],
    0,
  ],
  [
    "all of it asked about",
    "fs:@/data:ro",
    rules({ ask: ["notes"] }),
    [
      ["a", undefined, "ok hello"],
      ["private", undefined, "ok private"],
    ],
    1,
  ],
  [
    "the gateway's own",
    "fs:@:ro",
    {},
    [
      ["token", undefined, "denied"],
      ["data/a", undefined, "denied"],
    ],
    1,
  ],
]

test.each(folders)("rules about a plugin's folders: %s", async (_, grant, config, uses, asked) => {
  await using home = await openFolders()
  const fill = (text: string) => text.replaceAll("@", home.path)
  const folder = fill(grant).replace(/^fs:(.*):r[ow]$/, "$1")
  const tool = plugin({
    grants: [fill(grant)],
    asks: uses.map(([path, bytes]) => [
      bytes === undefined ? "fs_read" : "fs_write",
      { folder, path },
      bytes,
    ]),
  })
  const turn = await callOnce(tool, JSON.parse(fill(JSON.stringify(config))), { folder: home.path })
  expect(turn.said).toBe(uses.map(([, , answer]) => answer).join("\n"))
  expect(turn.summaries.length).toBe(asked)
  expect(readFileSync(home.at("token"), "utf8")).toBe("token")
})

test("a folder that is opened is that folder, and no more may be done in it than was said", async () => {
  await using home = await openFolders()
  const refusals: string[] = []
  const tool = plugin({
    grants: [`fs:${home.at("data")}:rw`],
    async call(_input, { openFolder }) {
      const files = openFolder(home.at("data"), false)
      await files.read(home.at("data", "a"))
      const attempts = [
        () => files.write(home.at("data", "a"), Buffer.from("x")),
        () => files.read("other"),
        () => files.write("other", Buffer.from("x")),
        () => openFolder(home.path, false).read(home.at("data", "a")),
        () => openFolder(home.at("run"), true).write(home.at("run", "a"), Buffer.from("x")),
      ]
      const ended = await Promise.allSettled(attempts.map(async (attempt) => await attempt()))
      for (const { reason } of ended as PromiseRejectedResult[]) refusals.push(reason?.name)
      return { content: "", is_error: false }
    },
  })
  await callOnce(tool, rules({ allow: ["*"] }), { folder: home.path })
  expect(refusals).toEqual(Array(5).fill("ToolDenied"))
  expect(readFileSync(home.at("data", "a"), "utf8")).toBe("hello")
})

test("what a plugin holds on to after its call does nothing any more", async () => {
  await using home = await openFolders()
  await using remote = await startRemote()
  let kept: PluginCall | undefined
  const tool = plugin({
    grants: [`http:127.0.0.1:${remote.port}`, `fs:${home.at("data")}:rw`],
    async call(_input, of) {
      kept = of
      return { content: "", is_error: false }
    },
  })
  await callOnce(tool, rules({ allow: ["notes"] }), { folder: home.path })
  expect(() => kept!.openFolder(home.at("data"), true)).toThrow()
  await expect(kept!.fetch({ url: `http://${remote.host}/` })).rejects.toThrow("The call is over.")
  expect(remote.connections).toBe(0)
})

test("an agent has a plugin's tool by its name, its alias or its plugin, and not where that is denied", async () => {
  const of = async (tools: string[] | undefined, deny: string[] = []) => {
    await using house = await openHouse({
      tools: [toTool(plugin())],
      config: { ...(tools && { tools }), ...rules({ deny }) },
    })
    return house.request("x").agent.tools.map(({ name }) => name)
  }
  for (const tools of [["notes_add"], ["notes.add"], ["notes"], ["*"]]) {
    expect([tools, await of(tools)]).toEqual([tools, ["notes_add"]])
    for (const denied of ["notes_add", "notes.add", "notes"]) expect(await of(tools, [denied])).toEqual([])
  }
  for (const tools of [["add"], ["notes.remove"], [], undefined]) expect(await of(tools)).toEqual([])
})

test("a model is told the names only of tools that are many, and calls them all the same", async () => {
  const asked: string[][] = []
  const { said } = await callOnce(
    plugin({ deferred: true }),
    {},
    {
      *script({ tools }, call) {
        asked.push(tools.map(({ name }) => name))
        if (call === 0) yield use("notes_add", { text: "a" })
        else yield text("over")
        yield done(call === 0 ? "tool_use" : "end")
      },
    },
  )
  expect([asked[0], said]).toEqual([["use_tools"], ""])
})

test("an alias with a pattern is read as the tool's name is", () => {
  const tools = [toTool(plugin({ grants: ["http:a.test"] }))]
  const host = { effect: "network", kind: "host", text: "a.test:443" } as const
  const { decide } = parseRules({ allow: ["notes.add:*.test"], deny: ["notes.add:b.test"] }, tools)
  expect(decide("notes_add", host).verdict).toBe("allow")
  expect(decide("notes_add", { ...host, text: "b.test:443" }).verdict).toBe("deny")
  expect(decide("notes_other", host).verdict).toBe("deny")
})
