import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from "citty"
import type { Client } from "../client/client.ts"
import { gateway_args } from "./args.ts"
import { openGateway } from "./connect.ts"
import type { Deps } from "./deps.ts"
import { printJson, printResult } from "./output.ts"

type Definition<A extends ArgsDef, R> = {
  name: string
  description: string
  args?: A
  /** Whether a gateway is started for it where none runs; so it is, unless the command is about the running one. */
  start?: boolean
  ask(client: Client, args: ParsedArgs<A>, url: string): Promise<R>
  /** The result for a person; `--json` prints it as it is. */
  show(result: R, args: ParsedArgs<A>): string
}

/** A command that asks a gateway one thing and prints the answer. */
export function gatewayCommand<const A extends ArgsDef, R>(
  deps: Deps,
  { name, description, args, start = true, ask, show }: Definition<A, R>,
): CommandDef<A & typeof gateway_args> {
  return defineCommand({
    meta: { name, description },
    args: { ...(args as A), ...gateway_args },
    async run(context) {
      const given = context.args as unknown as ParsedArgs<A> & ParsedArgs<typeof gateway_args>
      await using gateway = await openGateway(given, deps, { start })
      const result = await ask(gateway.client, given, gateway.url)
      await (given.json ? printJson(result) : printResult(show(result, given)))
    },
  })
}
