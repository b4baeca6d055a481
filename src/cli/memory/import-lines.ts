/** An export of ours, line by line: however long it is, little of it is in memory. */
import { Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { parser } from "../../base/schema.ts"
import type { Client, Methods } from "../../client/client.ts"
import { transfer_format, transfer_version } from "../../memory/transfer/row.ts"
import { note, notes } from "../output.ts"
import { addTo, batch_bytes_max, batch_rows_max, type Done, nothing } from "./send.ts"

type Embedder = NonNullable<Methods["memory.import"]["params"]["embedder"]>
type Line = { number: number; value: Record<string, unknown> }

const parseHeader = parser(
  Type.Object({
    format: Type.Literal(transfer_format),
    version: Type.Integer({ minimum: 1, maximum: transfer_version }),
    embedder: Type.Optional(Type.Object({ id: Type.String(), dim: Type.Integer() })),
  }),
)

/** Longer than any row of an export, and short enough for a frame. */
const line_bytes_max = 1_000_000
const told_every = 50_000

/** With `agent` all of it becomes that one's. Throws invalid_params with the number of the first bad line; what is before it is in. */
export async function importLines(client: Client, path: string, agent: string | undefined): Promise<Done> {
  const total = nothing()
  let embedder: Embedder | undefined
  let batch: Line[] = []
  let bytes = 0
  const flush = async () => {
    if (batch.length === 0) return
    const sent = { rows: batch.map(({ value }) => value), ...(embedder && { embedder }) }
    const { bad, ...done } = await client.call("memory.import", sent, { retry: true })
    addTo(total, done)
    if (bad) throw badLine(batch[bad.index]!.number, total, bad)
    batch = []
    bytes = 0
  }
  for await (const { number, text } of linesOf(path)) {
    if (text.trim() === "") continue
    const size = Buffer.byteLength(text)
    const value = size <= line_bytes_max ? toObject(text) : undefined
    if (!value) {
      await flush()
      const expected = `a JSON object of at most ${line_bytes_max} bytes`
      throw badLine(number, total, { path: "/", expected })
    }
    if (number === 1) {
      embedder = parseHeader(value).embedder
      continue
    }
    if (batch.length >= batch_rows_max || bytes + size > batch_bytes_max) await flush()
    batch.push({ number, value: agent === undefined ? value : { ...value, agent } })
    bytes += size
    if (notes.isTTY && number % told_every === 0) note(`${number} lines …`)
  }
  await flush()
  return total
}

const badLine = (line: number, { added, known }: Done, bad: { path: string; expected: string }): AppError =>
  new AppError("invalid_params", { line, path: bad.path, expected: bad.expected, added, known })

function toObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

async function* linesOf(path: string): AsyncGenerator<{ number: number; text: string }> {
  let rest = ""
  let number = 0
  const decoder = new TextDecoder()
  for await (const chunk of Bun.file(path).stream()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n")
    rest = lines.pop()!
    for (const text of lines) yield { number: ++number, text }
    // What has no end is told without reading on.
    if (rest.length > line_bytes_max) yield { number: number + 1, text: rest }
  }
  rest += decoder.decode()
  if (rest !== "") yield { number: ++number, text: rest }
}
