import { type ArgsDef, defineCommand } from "citty"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { showExplained, showHits, showItem, showStats } from "../memory/show.ts"
import { toWhose, whose_args } from "../memory/whose.ts"

export const memory = (deps: Deps) =>
  defineCommand({
    meta: { name: "memory", description: "See, search and change what the agents remember" },
    subCommands: {
      list: list(deps),
      search: search(deps),
      add: add(deps),
      forget: forget(deps),
      explain: explain(deps),
      stats: stats(deps),
      reindex: reindex(deps),
      export: async () => (await import("../memory/export.ts")).exportAll(deps),
      import: async () => (await import("../memory/import.ts")).importAll(deps),
    },
  })

type Kind = "message" | "tool_result" | "summary" | "fact" | "note"
const kinds: Kind[] = ["message", "tool_result", "summary", "fact", "note"]

const filter_args = {
  ...whose_args,
  session: { type: "string", description: "Only of this session" },
  kind: { type: "enum", options: kinds, description: "Only these" },
  tag: { type: "string", description: "Only with this tag" },
  superseded: { type: "boolean", description: "Facts that hold no more, too" },
} as const satisfies ArgsDef

type Filter = {
  agent?: string | undefined
  sender?: string | undefined
  session?: string | undefined
  kind?: Kind | undefined
  tag?: string | undefined
  superseded?: boolean | undefined
}

const toFilter = ({ session, kind, tag, superseded, ...whose }: Filter) => ({
  ...toWhose(whose),
  ...(session && { session_key: session }),
  ...(kind && { kinds: [kind] }),
  ...(tag && { tags: [tag] }),
  include_superseded: superseded === true,
})

const list = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "list",
    description: "List what is remembered, the latest first",
    args: {
      ...filter_args,
      limit: { type: "string", default: "50", description: "How many" },
      cursor: { type: "string", description: "Where an earlier list ended" },
    },
    ask: (client, { limit, cursor, ...filter }) =>
      client.call(
        "memory.list",
        { ...toFilter(filter), limit: Number(limit), ...(cursor ? { cursor } : {}) },
        { retry: true },
      ),
    show({ items, next }) {
      if (items.length === 0) return "Nothing is remembered there."
      const more = next ? [`More with: weft memory list --cursor ${next}`] : []
      return [...items.map((item) => showItem(item)), ...more].join("\n")
    },
  })

const search = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "search",
    description: "Search by words and meaning, and say what was looked at",
    args: {
      query: { type: "positional", required: true, description: "What it is about" },
      ...filter_args,
      limit: { type: "string", default: "10", description: "How many" },
    },
    ask: (client, { query, limit, ...filter }) =>
      client.call("memory.search", { query, ...toFilter(filter), limit: Number(limit) }, { retry: true }),
    show: ({ hits, searched }) => showHits(hits, searched),
  })

const add = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "add",
    description: "Remember something, for all senders of the agent or for one",
    args: {
      text: { type: "positional", required: true, description: "Understandable by itself" },
      ...whose_args,
      namespace: { type: "string", description: "A shared namespace in place of a sender" },
      tag: { type: "string", description: "Tags, separated by commas" },
      fact: {
        type: "string",
        valueHint: "subject:predicate:object",
        description: "The same as a fact, which replaces its earlier value",
      },
    },
    ask: (client, { text, namespace, tag, fact, ...whose }) =>
      client.call("memory.add", {
        ...{ text, ...toWhose(whose) },
        ...(namespace && { namespace }),
        ...(tag && { tags: tag.split(",") }),
        ...(fact && { fact: parseFact(fact) }),
      }),
    show: (item) => showItem(item),
  })

function parseFact(text: string): { subject: string; predicate: string; object: string } {
  const [subject = "", predicate = "", ...rest] = text.split(":").map((part) => part.trim())
  const object = rest.join(":")
  if (subject && predicate && object) return { subject, predicate, object }
  throw new UsageError(`--fact needs subject:predicate:object, as in user:city:Oslo, not "${text}".`)
}

const forget = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "forget",
    description: "Forget for good, with the text of the messages it is from",
    args: {
      ids: {
        type: "positional",
        required: true,
        description: "Numbers that list and search show: 12 or 12,15",
      },
      ...whose_args,
    },
    ask: (client, { ids, ...whose }) =>
      client.call("memory.forget", { memory_ids: ids.split(",").map((id) => id.trim()), ...toWhose(whose) }),
    show({ forgotten, related }, { ids }) {
      const said = `Forgotten: ${forgotten} of ${ids.split(",").length}.`
      if (related.length === 0) return said
      const still = "These still have the same words; nothing of them was touched:"
      return [said, still, ...related.map((item) => showItem(item))].join("\n")
    },
  })

const explain = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "explain",
    description: "Show what a model would be sent if this were said, and why",
    args: {
      session: {
        type: "positional",
        required: true,
        description: "Session key, as in: default:ws:default:main",
      },
      text: { type: "positional", required: true, description: "What would be said" },
    },
    ask: (client, { session, text }) =>
      client.call("memory.explain", { session_key: session, text }, { retry: true }),
    show: showExplained,
  })

const stats = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "stats",
    description: "Show how much is remembered, and how it is searched",
    args: { agent: { type: "string", description: "Only what this agent remembers" } },
    ask: (client, { agent }) => client.call("memory.stats", agent ? { agent } : {}, { retry: true }),
    show: showStats,
  })

const reindex = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "reindex",
    description: "Make the indexes anew from what is stored; nothing is lost",
    ask: (client) => client.call("memory.reindex", {}),
    show: (result) => `The indexes are made anew.\n\n${showStats(result)}`,
  })
