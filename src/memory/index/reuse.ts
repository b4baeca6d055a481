import { vectorsOfHashes } from "../../store/memory-index.ts"
import type { Store } from "../../store/open.ts"
import type { VectorSet } from "../vectors/set.ts"
import { hashText } from "./hash.ts"

/** Vectors of rows whose very text has one in the set already, by the row. */
export function vectorsByHash(
  db: Store["db"],
  set: VectorSet,
  rows: readonly { id: number; text: string }[],
): Map<number, Float32Array> {
  // A local embedder is faster than a look into the database.
  if (set.embedder.startsWith("hash:") || rows.length === 0) return new Map()
  const hashes = new Map(rows.map(({ id, text }) => [id, Buffer.from(hashText(text)).toString("hex")]))
  const found = vectorsOfHashes(db, set.id, [...new Set(hashes.values())])
  return new Map(
    [...hashes].flatMap(([id, hash]) => {
      const vector = found.get(hash)
      return vector ? [[id, vector] as const] : []
    }),
  )
}
