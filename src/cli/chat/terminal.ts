import { type Client, type ConnectionState, WeftError } from "../../client/client.ts"
import { nearest } from "../../config/nearest.ts"
import { type Approver, openApprover, type Requested, type Resolved } from "../approvals.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { hasColor } from "../output.ts"
import { duration, failureText, harmless } from "../text.ts"
import { openAsking } from "./asking.ts"
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
  const approvals = await openChatApprovals(client, (text) => input.interject(text))
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
      approvals,
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
  approvals: ChatApprovals | undefined
  watch(watcher: (state: ConnectionState) => void): void
}

/** Shows one turn; true when the person has had enough of the chat. */
async function runTurn({ client, talk, screen, input, line, approvals, watch }: Turn): Promise<boolean> {
  const stop = new AbortController()
  const leave = Promise.withResolvers<true>()
  let turn_id: string | undefined
  const view = openTurnView(screen)
  const columns = () => screen.columns()
  const asking = approvals && openAsking({ approver: approvals.approver, input, view, columns })
  approvals?.follow({
    requested(request) {
      if (request.turn_id !== turn_id) view.tell(describe(request))
    },
    resolved: (resolved) => asking?.resolved(resolved),
  })
  watch((state) => {
    if (state.state === "lost") view.notice(`connection lost, trying again in ${duration(state.retry_in_ms)}`)
    if (state.state === "open") view.notice("connected again")
  })
  const interrupt = () => {
    if (stop.signal.aborted) return leave.resolve(true)
    asking?.refuse()
    stop.abort()
    view.notice("stopping… Ctrl-C again leaves")
  }
  const follow = async () => {
    try {
      for await (const event of say(client, talk, line, stop.signal)) {
        turn_id = event.turn_id
        if (event.type === "started") Object.assign(talk, { session_key: event.session_key })
        if (event.type === "approval" && asking) asking.ask(event)
        else view.show(event)
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
    approvals?.follow(undefined)
    asking?.end()
    view.end()
  }
}

type Follower = { requested(request: Requested): void; resolved(resolved: Resolved): void }
type ChatApprovals = {
  approver: Approver
  /** Who is told from now on: a turn, or nobody in particular. */
  follow(follower: Follower | undefined): void
}

/** From here on the gateway can ask who sits at this terminal. What others ask is said, and answered elsewhere. */
async function openChatApprovals(
  client: Client,
  interject: (text: string) => void,
): Promise<ChatApprovals | undefined> {
  const approver = await openApprover(client)
  if (!approver) return undefined
  const idle: Follower = { requested: (request) => interject(describe(request)), resolved: () => undefined }
  let follower = idle
  const listening = approver.listen({
    requested: (request) => follower.requested(request),
    resolved: (resolved) => follower.resolved(resolved),
  })
  listening.catch((thrown) => {
    // The connection is closed, with the chat or for good: the next turn says why.
    if (!(thrown instanceof WeftError)) throw thrown
  })
  return { approver, follow: (wanted) => (follower = wanted ?? idle) }
}

const describe = ({ agent, tool }: Requested) =>
  harmless(`${tool} of the agent "${agent}" waits for an answer; see: weft approval list`)

/** A failure of one turn is told and the chat goes on; a bug is not for this place. */
function failure(thrown: unknown): string {
  if (!(thrown instanceof WeftError)) throw thrown
  return failureText(thrown)
}
