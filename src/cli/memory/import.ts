import { lstatSync, statSync } from "node:fs"
import { basename } from "node:path"
import { defineCommand } from "citty"
import { AppError } from "../../base/errors.ts"
import { toSender } from "../../base/session-key.ts"
import { type Into, parseForeign } from "../../memory/transfer/foreign.ts"
import { gateway_args } from "../args.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { printJson, printResult } from "../output.ts"
import { findFiles } from "./find-files.ts"
import { importLines } from "./import-lines.ts"
import { addTo, type Done, nothing, sendAll } from "./send.ts"
import { parseSender, whose_args } from "./whose.ts"

/** Larger ones are no notes. */
const bytes_max = 256 * 1_048_576
/** Whose a terminal's conversation is here. */
const terminal = { channel: "ws", account: "default", peer: "main" }

export const importAll = (deps: Deps) =>
  defineCommand({
    meta: {
      name: "import",
      description: "Take in an export, or the MEMORY.md, HISTORY.md and sessions of nanobot or clawft",
    },
    args: {
      path: { type: "positional", required: true, description: "A file, or a folder such as ~/.nanobot" },
      ...whose_args,
      ...gateway_args,
    },
    async run({ args }) {
      const { path, agent, sender } = args
      if (!lstatSync(path, { throwIfNoEntry: false })) throw new AppError("not_found", { what: "file", path })
      const whose = sender ? parseSender(sender) : undefined
      await using gateway = await openGateway(args, deps)
      const { client } = gateway
      const total = nothing()
      const taken: string[] = []
      const left: string[] = []
      const { found, ignored } = findFiles(path)
      for (const { path, shown } of found) {
        if (await isExport(path)) {
          if (sender) throw new UsageError("An export says itself whose everything is; leave --sender away.")
          const done = await importLines(client, path, agent)
          addTo(total, done)
          taken.push(`${shown}: ${describe(done)}`)
          continue
        }
        const into: Into = {
          agent: agent ?? (await defaultAgent()),
          sender: whose ? toSender(whose) : "",
          terminal: whose ?? terminal,
        }
        const { size, mtimeMs } = statSync(path)
        if (size > bytes_max) throw new AppError("too_large", { path, bytes: size, limit: bytes_max })
        const file = {
          name: basename(path),
          text: await Bun.file(path).text(),
          changed_ms: Math.floor(mtimeMs),
        }
        const parsed = parseForeign(file, into)
        if (!parsed) {
          left.push(`${shown}: nothing that is known`)
          continue
        }
        const done = await sendAll(client, parsed)
        addTo(total, done)
        taken.push(`${shown}: ${describe(done)}`)
        for (const [what, count] of parsed.left) left.push(`${shown}: ${count} ${what}`)
      }
      left.push(...ignored.map(({ shown }) => `${shown}: it belongs into the agent's folder`))
      if (args.json) await printJson({ ...total, taken, left })
      else await printResult(toText(taken, left))

      async function defaultAgent(): Promise<string> {
        return (await client.call("agent.list", {}, { retry: true })).agents[0]!.id
      }
    },
  })

/** By its first line, whatever its name. */
async function isExport(path: string): Promise<boolean> {
  const head = await Bun.file(path).slice(0, 4096).text()
  return /^\{"format":"weft\.memory"[,}]/.test(head)
}

function describe({ added, known, detached, left, vectors, messages }: Done): string {
  const parts = [
    messages > 0 && `${messages} messages of conversations`,
    added > 0 && `${added} rows`,
    detached > 0 && `${detached} of them as notes, since their conversation is not here or in use`,
    vectors > 0 && `${vectors} with their vectors`,
    known > 0 && `${known} were here already`,
    left > 0 && `${left} are indexed by themselves`,
  ].filter((part) => part !== false)
  return parts.join(", ") || "nothing"
}

function toText(taken: readonly string[], left: readonly string[]): string {
  if (taken.length + left.length === 0)
    return "There is nothing to import: no MEMORY.md, HISTORY.md or sessions."
  const lines = left.length > 0 ? ["Left:", ...left.map((line) => `  ${line}`)] : []
  return ["Taken:", ...(taken.length > 0 ? taken.map((line) => `  ${line}`) : ["  nothing"]), ...lines].join(
    "\n",
  )
}
