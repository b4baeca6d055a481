import { open } from "node:fs/promises"
import { defineCommand } from "citty"
import type { Client } from "../../client/client.ts"
import { transfer_format, transfer_version } from "../../memory/transfer/row.ts"
import { gateway_args } from "../args.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { note, printJson, write } from "../output.ts"

export const exportAll = (deps: Deps) =>
  defineCommand({
    meta: { name: "export", description: "Write all that is remembered, one JSON value a line" },
    args: {
      file: { type: "positional", required: false, description: "A new file; unset: standard output" },
      agent: { type: "string", description: "Only what this agent remembers" },
      vectors: { type: "boolean", description: "With vectors, so that nothing has to be embedded again" },
      ...gateway_args,
    },
    async run({ args }) {
      const { file, agent, vectors = false } = args
      if (args.json && !file) throw new UsageError("--json says how much was written, so it needs a file.")
      await using gateway = await openGateway(args, deps)
      await using to = file ? await openFile(file) : { write, [Symbol.asyncDispose]: async () => undefined }
      const rows = await writeAll(gateway.client, { agent, vectors }, to.write)
      if (args.json) await printJson({ file, rows })
      else note(`${rows} rows${file ? ` are in ${file}` : ""}.`)
    },
  })

type Asked = { agent: string | undefined; vectors: boolean }

/** A page at a time: however much it is, little of it is in memory. */
async function writeAll(client: Client, { agent, vectors }: Asked, to: (text: string) => Promise<void>) {
  const asked = { vectors, ...(agent && { agent }) }
  let rows = 0
  let after: string | undefined
  do {
    const page = await client.call("memory.export", { ...asked, ...(after && { after }) }, { retry: true })
    const header = { format: transfer_format, version: transfer_version, exported_ms: Date.now() }
    const lines: object[] = after ? [] : [{ ...header, ...(page.embedder && { embedder: page.embedder }) }]
    lines.push(...page.rows)
    await to(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
    rows += page.rows.length
    after = page.next
  } while (after !== undefined)
  return rows
}

/** For its owner only, and never over a file that is there. */
async function openFile(path: string): Promise<AsyncDisposable & { write(text: string): Promise<void> }> {
  const file = await open(path, "wx", 0o600).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "EEXIST") throw new UsageError(`${path} is there already; nothing was written.`)
    throw new UsageError(`${path} cannot be written: ${thrown.code}.`)
  })
  return {
    write: (text) => file.appendFile(text),
    async [Symbol.asyncDispose]() {
      await file.sync()
      await file.close()
    },
  }
}
