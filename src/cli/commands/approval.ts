import { defineCommand } from "citty"
import { type Client, type ConnectionState, type Methods, WeftError } from "../../client/client.ts"
import type { Waiting as Asked } from "../approvals.ts"
import { gateway_args } from "../args.ts"
import { isAttended, openAttendant, openLines } from "../ask.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { abortOnInterrupt } from "../interrupt.ts"
import { columnsOf, note, printJson, printResult } from "../output.ts"
import { fields, framed, harmless, when } from "../text.ts"

type Listed = Methods["approval.list"]["result"]
type Waiting = Listed["approvals"][number]

export const approval = (deps: Deps) =>
  defineCommand({
    meta: { name: "approval", description: "Answer what agents ask before they act" },
    subCommands: {
      watch: watch(deps),
      list: list(deps),
      allow: allow(deps),
      deny: deny(deps),
      revoke: revoke(deps),
    },
  })

const id_arg = {
  id: { type: "positional", required: true, description: "The id that `weft approval list` shows" },
} as const

const list = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "list",
    description: "Show what waits for an answer, and what was allowed for longer than once",
    ask: (client) => client.call("approval.list", {}, { retry: true }),
    show({ approvals, grants }) {
      const waiting = approvals.map(showWaiting)
      const given = grants.map(
        ({ grant_id, agent, session_key, tool, summary, given_by, created_ms }) =>
          `${fields({ grant: grant_id, agent, tool, for: session_key ?? "every session", "given by": given_by, on: when(created_ms) })}\n${framed(summary, width())}`,
      )
      return [
        waiting.length === 0 ? "Nothing waits for an answer." : waiting.join("\n\n"),
        ...(given.length === 0 ? [] : ["Allowed until revoked:", ...given]),
      ].join("\n\n")
    },
  })

const width = () => columnsOf(process.stdout)

const showWaiting = ({ approval_id, agent, session_key, tool, summary, expires_ms }: Waiting): string =>
  `${fields({ approval: approval_id, agent, session: session_key, tool, until: when(expires_ms) })}\n${framed(summary, width())}`

const watch = (deps: Deps) =>
  defineCommand({
    meta: { name: "watch", description: "Be asked here about every call that waits, until Ctrl-C" },
    args: gateway_args,
    async run({ args }) {
      if (args.json || !isAttended()) {
        throw new UsageError("It asks in a terminal; without one there are `weft approval list` and `allow`.")
      }
      let onOpen = (): void => undefined
      const onState = ({ state }: ConnectionState) => state === "open" && onOpen()
      await using gateway = await openGateway(args, deps, {
        start: false,
        onState: (state) => void onState(state),
      })
      using interrupt = abortOnInterrupt()
      await askAll(gateway.client, interrupt.signal, (listener) => (onOpen = listener))
    },
  })

/** One after the other, each once: what waits already, then what comes. */
async function askAll(
  client: Client,
  signal: AbortSignal,
  onConnected: (listener: () => void) => void,
): Promise<void> {
  const known = new Set<string>()
  const queue: Asked[] = []
  let changed = Promise.withResolvers<void>()
  const add = (asked: Asked) => {
    if (known.has(asked.approval_id)) return
    known.add(asked.approval_id)
    queue.push(asked)
    changed.resolve()
  }
  const addAll = async () => {
    for (const waiting of (await client.call("approval.list")).approvals) add(waiting)
  }
  let failure: unknown
  const fail = (thrown: unknown) => {
    failure = thrown
    changed.resolve()
  }
  signal.addEventListener("abort", () => changed.resolve(), { once: true })
  using attendant = await openAttendant(client, { signal, requested: add })
  if (!attendant) throw new WeftError("forbidden", { scope: "approve" }, "The token does not allow that.")
  attendant.listening.catch(fail)
  // What began to wait while the connection was lost was told to nobody here.
  onConnected(() => void addAll().catch((thrown) => isLost(thrown) || fail(thrown)))
  note("Listening for calls that wait for an answer. Ctrl-C ends it.")
  await addAll()
  while (!signal.aborted) {
    const next = queue.shift()
    if (next) {
      if (!(await attendant.ask(next))) return
      continue
    }
    await changed.promise
    if (failure) throw failure
    changed = Promise.withResolvers()
  }
}

/** Then the next connection says it all again. */
const isLost = (thrown: unknown): boolean => thrown instanceof WeftError && thrown.code === "unreachable"

const allow = (deps: Deps) =>
  defineCommand({
    meta: { name: "allow", description: "Let a call run that waits, as it is shown" },
    args: {
      ...id_arg,
      lasts: {
        type: "enum",
        options: ["once", "session", "always"],
        default: "once",
        description: "How long it holds, for the same tool with the same targets",
      },
      yes: { type: "boolean", description: "Do not ask again" },
      ...gateway_args,
    },
    async run({ args }) {
      if (!args.yes && (args.json || !isAttended())) {
        throw new UsageError("Without a terminal to ask in, --yes is needed.")
      }
      await using gateway = await openGateway(args, deps, { start: false })
      const waiting = await findWaiting(gateway.client, args.id)
      if (!args.json) await printResult(showWaiting(waiting))
      if (!args.yes && !(await isConfirmed(args.lasts))) {
        return note("Not answered: it goes on waiting. `weft approval deny` denies it.")
      }
      const { approval_id, hash } = waiting
      const answer = { approval_id, hash, decision: "allow", lasts: args.lasts } as const
      const result = await gateway.client.call("approval.resolve", answer)
      await (args.json ? printJson(result) : printResult("Allowed."))
    },
  })

/** The answer binds to the hash of what is shown here: something else under the same id is not allowed by it. */
async function findWaiting(client: Client, id: string): Promise<Waiting> {
  const { approvals } = await client.call("approval.list", {}, { retry: true })
  const found = approvals.find(({ approval_id }) => approval_id === id)
  if (found) return found
  throw new WeftError("not_found", { what: "approval", approval_id: id }, "Nothing waits under this id.")
}

async function isConfirmed(lasts: string): Promise<boolean> {
  using lines = openLines()
  const typed = await lines.next(`allow (${lasts})? [y/N] `)
  return ["y", "yes"].includes(typed?.trim().toLowerCase() ?? "")
}

const deny = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "deny",
    description: "Refuse a call that waits",
    start: false,
    args: id_arg,
    async ask(client, { id }) {
      const { approval_id, hash } = await findWaiting(client, id)
      return client.call("approval.resolve", { approval_id, hash, decision: "deny" })
    },
    show: () => "Denied.",
  })

const revoke = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "revoke",
    description: "Take back what was allowed for longer than once",
    args: {
      grant: { type: "positional", required: true, description: "The grant that `weft approval list` shows" },
    },
    ask: (client, { grant }) => client.call("approval.revoke", { grant_id: grant }),
    show: ({ tool, agent }) => `Revoked: ${harmless(tool)} of the agent "${harmless(agent)}" asks again.`,
  })
