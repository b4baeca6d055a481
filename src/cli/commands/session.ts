import { defineCommand } from "citty"
import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { showMessages } from "../messages.ts"
import { fields, table, when } from "../text.ts"

const key_arg = {
  key: { type: "positional", required: true, description: "Session key, as in: default:ws:default:main" },
} as const

export const session = (deps: Deps) =>
  defineCommand({
    meta: { name: "session", description: "Read and tidy conversations" },
    subCommands: {
      list: list(deps),
      show: show(deps),
      reset: reset(deps),
      delete: remove(deps),
      export: exportAll(deps),
      search: search(deps),
    },
  })

const list = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "list",
    description: "List sessions, the latest first",
    args: {
      limit: { type: "string", default: "50", description: "How many" },
      cursor: { type: "string", description: "Where an earlier list ended" },
    },
    ask: (client, { limit, cursor }) =>
      client.call("session.list", { limit: Number(limit), ...(cursor ? { cursor } : {}) }, { retry: true }),
    show({ sessions, next }) {
      if (sessions.length === 0) return "No sessions yet. Start one with: weft chat"
      const rows = sessions.map(({ session_key, message_count, updated_ms, title }) => [
        session_key,
        String(message_count),
        when(updated_ms),
        title ?? "",
      ])
      const more = next ? `\nMore with: weft session list --cursor ${next}` : ""
      return table(["SESSION", "MESSAGES", "UPDATED", "TITLE"], rows) + more
    },
  })

const show = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "show",
    description: "Show a session and its latest messages",
    args: { ...key_arg, limit: { type: "string", default: "20", description: "How many messages" } },
    async ask(client, { key, limit }) {
      const session = await client.call("session.get", { session_key: key }, { retry: true })
      const page = { session_key: key, limit: Number(limit) }
      return { session, ...(await client.call("chat.history", page, { retry: true })) }
    },
    show({ session, messages }) {
      const head = fields({
        session: session.session_key,
        title: session.title,
        model: session.model,
        messages: session.message_count,
        created: when(session.created_ms),
        updated: when(session.updated_ms),
      })
      return messages.length === 0 ? head : `${head}\n\n${showMessages(messages)}`
    },
  })

const reset = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "reset",
    description: "Make the model forget what was said; the messages stay stored",
    args: key_arg,
    ask: (client, { key }) => client.call("session.reset", { session_key: key }),
    show: (_result, { key }) => `The next message to ${key} starts anew.`,
  })

const remove = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "delete",
    description: "Delete a session and its messages for good",
    args: key_arg,
    ask: (client, { key }) => client.call("session.delete", { session_key: key }),
    show: (_result, { key }) => `Deleted ${key}.`,
  })

const exportAll = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "export",
    description: "Print a whole session, as JSON",
    args: key_arg,
    async ask(client, { key }) {
      const first = await client.call("session.export", { session_key: key }, { retry: true })
      const messages = first.messages
      for (let after = first.next; after !== undefined; ) {
        const page = await client.call("session.export", { session_key: key, after }, { retry: true })
        messages.push(...page.messages)
        after = page.next
      }
      return { session: first.session, messages }
    },
    show: (result) => JSON.stringify(result, undefined, 2),
  })

const search = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "search",
    description: "Search what was said",
    args: {
      query: { type: "positional", required: true, description: "Words to find" },
      limit: { type: "string", default: "20", description: "How many" },
    },
    ask: (client, { query, limit }) =>
      client.call("session.search", { query, limit: Number(limit) }, { retry: true }),
    show: ({ hits }) =>
      hits.length === 0
        ? "Nothing found."
        : hits
            .map(
              ({ session_key, role, created_ms, snippet }) =>
                `${session_key}  ${when(created_ms)}  ${role}\n  ${snippet.replaceAll("\n", " ")}`,
            )
            .join("\n"),
  })
