import { defineCommand } from "citty"
import { type Client, type Methods, WeftError } from "../../client/client.ts"
import { gateway_args } from "../args.ts"
import { isAttended, openLines } from "../ask.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { gatewayCommand } from "../gateway-command.ts"
import { columnsOf, note, printJson, printResult } from "../output.ts"
import { fields, framed, harmless, when } from "../text.ts"

type Listed = Methods["approval.list"]["result"]
type Waiting = Listed["approvals"][number]

export const approval = (deps: Deps) =>
  defineCommand({
    meta: { name: "approval", description: "Answer what agents ask before they act" },
    subCommands: { list: list(deps), allow: allow(deps), deny: deny(deps), revoke: revoke(deps) },
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
