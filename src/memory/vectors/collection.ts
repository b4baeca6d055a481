/** A set of vectors as it is open: its parts, where they are kept, and what is going on with them. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Log } from "../../base/log.ts"
import type { VectorKernel } from "../../kernel/vectors/kernel.ts"
import type { Store } from "../../store/open.ts"
import { getSet, slotsOf, type VectorSetRow } from "../../store/vectors.ts"
import { remove, sizeOf } from "./flat.ts"
import { dropGraph, type Graph, noGraph } from "./graph.ts"
import { type Shape, toFloats } from "./image.ts"
import { dropPart, keepInMemory, mapPart, newPart, type Part } from "./part.ts"
import type { RowCounts, SetState } from "./set.ts"

export type Collection = {
  readonly id: number
  readonly embedder: string
  state: "filling" | "serving"
  readonly shape: Shape
  readonly folder: string
  readonly main: Part
  readonly cold: Part
  kept_in: "files" | "memory"
  reason: string | undefined
  opened: SetState["opened"]
  work: SetState["work"]
  progress: number
  rebuilds: number
  rebuilt_because: string | undefined
  /** Raised with every change of a row. */
  version: number
  /** While the files are checked: how many slots of each part were, and the digest of those. */
  checked: { slots: [number, number]; sum: bigint } | undefined
  /** Searches that read SQLite piece by piece; no row is moved meanwhile. */
  waiting: number
  graph: Graph
}

/** Raised where the files or what they are computed with change. */
const layout = 1
const clean_name = "clean.json"

type Clean = {
  layout: number
  set_id: number
  embedder: string
  dim: number
  /** Of SQLite, when the files were written. */
  digest: string
  slots: [number, number]
  counts: [RowCounts, RowCounts]
  sizes: number[]
}

/** Opens what is there; whether it is to be checked is said by `opened`, and whether made anew by `work`. */
export function openCollection(
  kernel: VectorKernel,
  db: Store["db"],
  folder: string,
  row: VectorSetRow,
  log: Log,
): Collection {
  const { id, embedder, dim, mean } = row
  const floats = new Float32Array(new ArrayBuffer(dim * 4))
  const shape = { kernel, dim, floats, seed: id, mean: mean ? toFloats(mean) : undefined }
  const collection: Collection = {
    id,
    embedder,
    state: row.state === "serving" ? "serving" : "filling",
    shape,
    folder: join(folder, `${id}`),
    main: newPart(dim, false),
    cold: newPart(dim, true),
    kept_in: "files",
    reason: undefined,
    opened: "new",
    work: "none",
    progress: 0,
    rebuilds: 0,
    rebuilt_because: undefined,
    version: 0,
    checked: undefined,
    waiting: 0,
    graph: noGraph(),
  }
  try {
    mkdirSync(collection.folder, { recursive: true, mode: 0o700 })
    openFiles(collection, db, row)
  } catch (thrown) {
    leaveFiles(collection, thrown, log)
    startAnew(collection, db, "the files cannot be written")
  }
  return collection
}

function openFiles(collection: Collection, db: Store["db"], row: VectorSetRow): void {
  const { shape, folder } = collection
  const clean = readClean(folder)
  const parts = [collection.main, collection.cold]
  const missing = parts.flatMap(({ names }) => names).filter((name) => sizeOf(join(folder, name)) === 0)
  const is_new = missing.length === parts.flatMap(({ names }) => names).length
  const fault = clean && faultOf(clean, collection, row)
  const sizes_before = parts.flatMap(({ names }) => names).map((name) => sizeOf(join(folder, name)))
  // From here on the files may change.
  remove(join(folder, clean_name))
  for (const part of parts) mapPart(shape.kernel, part, folder)
  if (clean && fault === undefined) {
    collection.opened = "clean"
    for (const [i, part] of parts.entries()) {
      part.slots = clean.slots[i]!
      part.counts = clean.counts[i]!
      part.trusted = Number.POSITIVE_INFINITY
    }
    return
  }
  if (is_new) {
    startAnew(collection, db, "there were none")
    return
  }
  collection.opened = "unclean"
  for (const part of parts) {
    part.slots = slotsOf(db, collection.id, part.cold)
    for (const [i, file] of part.files.entries()) file.cut(part.slots * part.widths[i]!)
  }
  const short = shortFile(collection, sizes_before)
  if (fault !== undefined && fault !== "stale") startAnew(collection, db, fault)
  else if (short !== undefined) startAnew(collection, db, `${short} is missing or too short`)
  else collection.work = "checking"
}

/** Where nothing is to be taken from the files. Whoever opens it fills them in the background. */
function startAnew(collection: Collection, db: Store["db"], reason: string): void {
  const is_empty = getSet(db, collection.id)?.rows === 0
  if (is_empty && collection.opened === "new") {
    for (const part of [collection.main, collection.cold]) part.trusted = Number.POSITIVE_INFINITY
    return
  }
  collection.work = "rebuilding"
  collection.rebuilt_because = reason
}

/** Files that end before their rows do. Floats are there as far as hot rows reach, which only their digest tells. */
function shortFile({ main, cold }: Collection, sizes: readonly number[]): string | undefined {
  const needed = [main, cold].flatMap(({ names, widths, slots }) =>
    names.map((name, i) => ({ name, bytes: name === "f32" ? 0 : slots * widths[i]! })),
  )
  return needed.find(({ bytes }, i) => sizes[i]! < bytes)?.name
}

/** "stale": the files are behind SQLite, by a little perhaps. */
function faultOf(clean: Clean, { folder, main, cold }: Collection, row: VectorSetRow): string | undefined {
  if (clean.layout !== layout) return "they were of another version"
  const is_same = clean.set_id === row.id && clean.embedder === row.embedder && clean.dim === row.dim
  if (!is_same) return "they were of another set"
  const names = [...main.names, ...cold.names]
  const short = names.find((name, i) => sizeOf(join(folder, name)) < clean.sizes[i]!)
  if (short) return `${short} is missing or too short`
  return clean.digest === row.digest.toString() ? undefined : "stale"
}

function readClean(folder: string): Clean | undefined {
  const path = join(folder, clean_name)
  if (sizeOf(path) === 0) return undefined
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Clean
  } catch (thrown) {
    // A note that cannot be read says nothing, so the files are checked.
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** After it the next opening takes the files as they are. Throws what the file system throws. */
export function closeCleanly(collection: Collection, row: VectorSetRow): void {
  const { main, cold, folder, shape, id, embedder } = collection
  const files = [...main.files, ...cold.files]
  for (const file of files) file.sync()
  const clean: Clean = {
    layout,
    set_id: id,
    embedder,
    dim: shape.dim,
    digest: row.digest.toString(),
    slots: [main.slots, cold.slots],
    counts: [main.counts, cold.counts],
    sizes: files.map(({ region }) => region.bytes.length),
  }
  const path = join(folder, clean_name)
  writeFileSync(`${path}.new`, JSON.stringify(clean), { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
}

/** From now on in memory, with all that there is; the files would be stale. */
export function leaveFiles(collection: Collection, thrown: unknown, log: Log): void {
  const reason = thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown)
  for (const part of [collection.main, collection.cold]) keepInMemory(collection.shape.kernel, part)
  Object.assign(collection, { kept_in: "memory", reason })
  tryRemove(collection.folder)
  log.warn("The files of the vectors cannot be written; they are kept in memory.", {
    folder: collection.folder,
    reason,
  })
}

/** What is deleted from now on would stay in them. Where they cannot even be removed, nothing can be done. */
function tryRemove(folder: string): void {
  try {
    remove(folder)
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown)) throw thrown
  }
}

/** Gives up everything that is in the files, which stay as they are, or are removed. */
export function closeCollection(collection: Collection, with_files: boolean): void {
  dropGraph(collection.graph)
  for (const part of [collection.main, collection.cold]) dropPart(part, with_files)
  if (with_files && collection.kept_in === "files") remove(collection.folder)
}

export const isTrusted = ({ main, cold }: Collection): boolean =>
  main.trusted === Number.POSITIVE_INFINITY && cold.trusted === Number.POSITIVE_INFINITY
