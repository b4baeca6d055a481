import type { Chat, Client } from "../../client/client.ts"
import type { GatewayArgs } from "../args.ts"
import { toPlace } from "../place.ts"
import { commands, help, newPeer, pickModel, showSessions, type Talk } from "./commands.ts"

export type ChatArgs = GatewayArgs & {
  agent?: string | undefined
  model?: string | undefined
  session?: string | undefined
  json?: boolean | undefined
}

export const openTalk = ({ agent, model, session }: ChatArgs): Talk => ({
  ...toPlace(session),
  ...(agent ? { agent } : {}),
  ...(model ? { model } : {}),
})

export function say(client: Client, talk: Talk, content: string, signal: AbortSignal): Chat {
  const { listed: _listed, session_key: _session_key, ...params } = talk
  return client.chat({ ...params, content }, { signal })
}

/** What a line that begins with "/" does; undefined where it is not one of ours, but for the agent. */
export async function runCommand(
  client: Client,
  talk: Talk,
  line: string,
): Promise<string | "quit" | undefined> {
  const [name = "", argument = ""] = line.trim().split(/\s+(.*)/s)
  if (!Object.hasOwn(commands, name)) return undefined
  switch (name) {
    case "/quit":
      return "quit"
    case "/new":
      talk.peer = newPeer(new Date())
      delete talk.session_key
      return `A new conversation: ${talk.peer}`
    case "/model":
      return pickModel(client, talk, argument)
    case "/sessions":
      return argument === "" ? showSessions(client, talk) : goTo(talk, argument)
  }
  return help()
}

function goTo(talk: Talk, wanted: string): string {
  const key = /^\d+$/.test(wanted) ? talk.listed?.[Number(wanted) - 1] : wanted
  if (key === undefined) return `There is no ${wanted} in the list; /sessions shows it.`
  Object.assign(talk, toPlace(key))
  delete talk.session_key
  return `Going on with ${key}`
}
