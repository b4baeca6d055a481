/** Sends what is to be imported, in batches that fit into a frame. */
import { AppError } from "../../base/errors.ts"
import type { Client, Methods } from "../../client/client.ts"

type Params = Methods["memory.import"]["params"]
export type Done = Omit<Methods["memory.import"]["result"], "bad">

/** Well below what a frame may weigh, with its escapes. */
export const batch_bytes_max = 262_144
export const batch_rows_max = 500

export const nothing = (): Done => ({ added: 0, known: 0, detached: 0, left: 0, vectors: 0, messages: 0 })

export function addTo(total: Done, done: Done): void {
  for (const name of Object.keys(total) as (keyof Done)[]) total[name] += done[name]
}

type Sent = { rows: NonNullable<Params["rows"]>; messages: NonNullable<Params["messages"]> }

export async function sendAll(client: Client, { rows, messages }: Sent): Promise<Done> {
  const total = nothing()
  for (const batch of batches(rows)) await send(client, { rows: batch }, total)
  for (const batch of batches(messages)) await send(client, { messages: batch }, total)
  return total
}

async function send(client: Client, batch: Params, total: Done): Promise<void> {
  const { bad, ...done } = await client.call("memory.import", batch, { retry: true })
  addTo(total, done)
  if (bad) throw new AppError("invalid_params", { path: bad.path, expected: bad.expected })
}

export function* batches<T>(values: Iterable<T>): Generator<T[]> {
  let batch: T[] = []
  let bytes = 0
  for (const value of values) {
    const size = Buffer.byteLength(JSON.stringify(value))
    if (batch.length > 0 && (batch.length >= batch_rows_max || bytes + size > batch_bytes_max)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(value)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
