import { type Client, type ConnectionState, WeftError } from "../../client/client.ts"
import { nearest } from "../../config/nearest.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { hasColor } from "../output.ts"
import { duration, failureText } from "../text.ts"
import { commands, completeCommand, type Talk } from "./commands.ts"
import { openHistory } from "./history.ts"
import { type Input, openInput } from "./input.ts"
import { openScreen, type Screen, style } from "./screen.ts"
import { type ChatArgs, openTalk, runCommand, say } from "./talk.ts"
import { openTurnView } from "./turn-view.ts"

/** The chat of a person in a terminal. */
export async function chatInTerminal(args: ChatArgs, deps: Deps): Promise<void> {
  const screen = openScreen(process.stdout, hasColor(process.stdout))
  const { dim, cyan, bold } = style(screen.color)
  const hint = (text: string) => screen.print(dim(text))
  let onState: (state: ConnectionState) => void = () => undefined
  await using gateway = await openGateway(args, deps, { onState: (state) => onState(state) })
  const { client, home, url, is_private } = gateway
  using input = openInput({ history: await openHistory(home, hint), complete: completeCommand, hint })
  const talk = openTalk(args)
  const where = is_private ? "no gateway runs here, so this chat has one of its own" : url
  hint(`weft ${deps.version} · ${where} · /help`)
  for (;;) {
    const line = await input.ask(`${bold(cyan("›"))} `)
    if (line === undefined) return
    if (line.trim() === "") continue
    const told = await tell(client, talk, line)
    if (told === "quit") return
    if (told !== undefined) {
      screen.print(`${told}\n`)
      continue
    }
    const is_over = await runTurn({
      client,
      talk,
      screen,
      input,
      line,
      watch: (watcher) => (onState = watcher),
    })
    if (is_over) return
  }
}

/** The answer to a command; undefined for what the agent is to hear. */
async function tell(client: Client, talk: Talk, line: string): Promise<string | undefined> {
  if (!line.startsWith("/")) return undefined
  const name = line.trim().split(/\s/)[0]!
  try {
    const told = await runCommand(client, talk, line)
    if (told !== undefined) return told
  } catch (thrown) {
    return failure(thrown)
  }
  const meant = name === "/tool" ? undefined : nearest(name, Object.keys(commands))
  return meant && `There is no ${name}. Did you mean ${meant}? A space before it sends it as it is.`
}

type Turn = {
  client: Client
  talk: Talk
  screen: Screen
  input: Input
  line: string
  watch(watcher: (state: ConnectionState) => void): void
}

/** Shows one turn; true when the person has had enough of the chat. */
async function runTurn({ client, talk, screen, input, line, watch }: Turn): Promise<boolean> {
  const stop = new AbortController()
  const leave = Promise.withResolvers<true>()
  const view = openTurnView(screen)
  watch((state) => {
    if (state.state === "lost") view.notice(`connection lost, trying again in ${duration(state.retry_in_ms)}`)
    if (state.state === "open") view.notice("connected again")
  })
  const interrupt = () => {
    if (stop.signal.aborted) return leave.resolve(true)
    stop.abort()
    view.notice("stopping… Ctrl-C again leaves")
  }
  const follow = async () => {
    try {
      for await (const event of say(client, talk, line, stop.signal)) {
        if (event.type === "started") Object.assign(talk, { session_key: event.session_key })
        view.show(event)
      }
    } catch (thrown) {
      view.fail(failure(thrown))
    }
    return false
  }
  try {
    return await input.during(Promise.race([follow(), leave.promise]), interrupt)
  } finally {
    watch(() => undefined)
    view.end()
  }
}

/** A failure of one turn is told and the chat goes on; a bug is not for this place. */
function failure(thrown: unknown): string {
  if (!(thrown instanceof WeftError)) throw thrown
  return failureText(thrown)
}
