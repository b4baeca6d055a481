import type { Client } from "../../client/client.ts"
import { harmless, table, when } from "../text.ts"

/** Where what is typed goes. */
export type Talk = {
  agent?: string
  channel?: string
  account?: string
  peer?: string
  /** Asked for by /model; else the session's or the agent's own. */
  model?: string
  /** Known once a turn has started. */
  session_key?: string | null
  /** Of the last /sessions, so that /sessions N can mean one. */
  listed?: string[]
}

export const commands: Record<string, string> = {
  "/help": "what can be typed here",
  "/new": "start a new conversation; the old one stays in /sessions",
  "/sessions": "list the conversations; with a number or a key, go on with that one",
  "/model": "show the models; with a name, use that one from now on",
  "/quit": "leave",
}

export const completeCommand = (line: string): string[] =>
  line.startsWith("/") ? Object.keys(commands).filter((name) => name.startsWith(line)) : []

export const help = (): string => {
  const rows = Object.entries(commands).map(([name, text]) => `  ${name.padEnd(10)} ${text}`)
  const keys = [
    "A last \\, Alt-Enter or a paste makes several lines.",
    "Up, Down and Ctrl-R find what was typed before.",
    "Ctrl-C stops an answer, twice leaves. Ctrl-D leaves.",
  ]
  return [...rows, "", ...keys].join("\n")
}

/** Shows the agent's models, or changes to one of them. */
export async function pickModel(client: Client, talk: Talk, wanted: string): Promise<string> {
  const { agents } = await client.call("agent.list", {}, { retry: true })
  const agent = agents.find(({ id }) => id === talk.agent) ?? agents.find(({ is_default }) => is_default)
  if (!agent) return "This token reaches no agent."
  const names = [...new Set([agent.model, ...agent.models])]
  const found = names.find((name) => name === wanted || name.endsWith(`/${wanted}`))
  if (found) talk.model = found
  const current = talk.model ?? agent.model
  const list = names.map((name) => `${name === current ? "●" : " "} ${harmless(name)}`).join("\n")
  return wanted === "" || found
    ? list
    : `The agent "${agent.id}" may not use ${harmless(wanted)}, but:\n${list}`
}

export async function showSessions(client: Client, talk: Talk): Promise<string> {
  const { sessions } = await client.call("session.list", { limit: 20 }, { retry: true })
  talk.listed = sessions.map(({ session_key }) => session_key)
  if (sessions.length === 0) return "No conversations yet."
  const rows = sessions.map(({ session_key, message_count, updated_ms, title }, index) => [
    session_key === talk.session_key ? "●" : String(index + 1),
    session_key,
    String(message_count),
    when(updated_ms),
    title ?? "",
  ])
  return table(["", "SESSION", "MESSAGES", "UPDATED", "TITLE"], rows)
}

/** A name of its own for a new conversation: readable, and new as long as nobody starts two in a second. */
export const newPeer = (now: Date): string =>
  `chat-${now.toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-")}`
