/**
 * Folders on their way between the gateway and a runner. Their paths and sizes go in the header of a frame, and what is
 * in the files in its body, after the input or the output, so that nothing is written out as text or copied on the way.
 */

import { encodeStart, type Kind } from "./frames.ts"

/** A folder with all that is in it, by paths relative to it. The bytes are not to be changed: they are a part of others. */
export type Folder = { path: string; writable: boolean; files: Record<string, Uint8Array> }

/** What a header says of one. The files follow each other in the body as they do here. */
export type PackedFolder = { path: string; writable: boolean; files: [path: string, bytes: number][] }

/** Of all the folders of a call, in each direction. */
export const folder_limits = { files: 1000, bytes: 16 << 20, path_chars: 4095, paths_chars: 1 << 17 } as const

/** In a header: a character takes up to six bytes, a size eight, and what is around both as many. */
export const packed_bytes_max = 6 * folder_limits.paths_chars + 16 * folder_limits.files

/** Whether that many may go over. The same for both sides, so that neither sends what the other will not have. */
export function fits(folders: readonly Folder[]): boolean {
  return addUp(packFolders(folders).packed) !== undefined
}

export function packFolders(folders: readonly Folder[]): { packed: PackedFolder[]; parts: Uint8Array[] } {
  const parts: Uint8Array[] = []
  const packed = folders.map(({ path, writable, files }) => ({
    path,
    writable,
    files: Object.entries(files).map(([name, bytes]): [string, number] => {
      parts.push(bytes)
      return [name, bytes.length]
    }),
  }))
  return { packed, parts }
}

export type Unpacked = { first: Uint8Array; folders: Folder[] | undefined }

/**
 * The parts of a body, as views of it: `first_bytes` are the input or output, the rest the files of `packed`. undefined
 * where the other side lies: what is packed is no list of folders, is more than may be, or is not what there is.
 */
export function unpackBody(body: Uint8Array, first_bytes: unknown, packed: unknown): Unpacked | undefined {
  if (packed === undefined && first_bytes === undefined) return { first: body, folders: undefined }
  if (!isPacked(packed) || !isSize(first_bytes)) return undefined
  const bytes = addUp(packed)
  if (bytes === undefined || first_bytes + bytes !== body.length) return undefined
  let at = first_bytes
  const folders = packed.map(({ path, writable, files }) => {
    // Without a prototype, in which some names are not a file's.
    const unpacked: Folder["files"] = Object.create(null)
    for (const [name, size] of files) {
      unpacked[name] = body.subarray(at, at + size)
      at += size
    }
    return { path, writable, files: unpacked }
  })
  return { first: body.subarray(0, first_bytes), folders }
}

/** How many bytes all files have; undefined where there is more of anything than there may be. */
function addUp(packed: readonly PackedFolder[]): number | undefined {
  let [count, bytes, chars] = [0, 0, 0]
  for (const { files } of packed) {
    count += files.length
    if (count > folder_limits.files) return undefined
    for (const [path, size] of files) {
      bytes += size
      chars += path.length
      if (path.length > folder_limits.path_chars) return undefined
    }
  }
  return bytes > folder_limits.bytes || chars > folder_limits.paths_chars ? undefined : bytes
}

const isPacked = (value: unknown): value is PackedFolder[] => Array.isArray(value) && value.every(isFolder)

function isFolder(value: unknown): value is PackedFolder {
  if (typeof value !== "object" || value === null) return false
  const { path, writable, files } = value as Partial<Record<keyof PackedFolder, unknown>>
  return (
    typeof path === "string" && typeof writable === "boolean" && Array.isArray(files) && files.every(isFile)
  )
}

const isFile = (value: unknown): value is [string, number] =>
  Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && isSize(value[1])

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** A frame with all of its body, in pieces of about `piece_bytes`: large parts are not copied, small ones put together. */
export function* encodePieces(
  kind: Kind,
  header: object,
  body: readonly Uint8Array[],
  piece_bytes: number,
): Generator<Uint8Array> {
  let some: Uint8Array[] = [
    encodeStart(
      kind,
      header,
      body.reduce((sum, { length }) => sum + length, 0),
    ),
  ]
  let bytes = 0
  for (const part of body) {
    for (let at = 0; at < part.length; at += piece_bytes) {
      const piece = part.subarray(at, at + piece_bytes)
      if (bytes + piece.length > piece_bytes) {
        yield join(some)
        some = []
        bytes = 0
      }
      some.push(piece)
      bytes += piece.length
    }
  }
  yield join(some)
}

const join = (pieces: Uint8Array[]): Uint8Array => (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
