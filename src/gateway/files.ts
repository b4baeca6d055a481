import { mkdir, open, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "../base/errors.ts"
import { addFile, type FileRow, findFile } from "../store/files.ts"
import type { Store } from "../store/open.ts"

export type Files = {
  /** Keeps the bytes under their content hash, synced, and answers the row that names them for this token. */
  put(file: { bytes: Uint8Array; name: string | null; token_id: string }): Promise<FileRow>
  find(file_id: string): FileRow | undefined
  read(file_id: string): Promise<Uint8Array>
}

/** `folder` is made on first use. */
export function openFiles(store: Store, folder: string, now_ms: () => number): Files {
  const pathOf = (hash: string) => join(folder, hash)
  return {
    async put({ bytes, name, token_id }) {
      const hash = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
      if (!(await Bun.file(pathOf(hash)).exists())) await write(folder, pathOf(hash), bytes)
      const id = Bun.randomUUIDv7()
      const mime = sniff(bytes)
      const row = { id, hash, mime, bytes: bytes.length, name, token_id, created_ms: now_ms() }
      await store.commit((db) => addFile(db, row))
      return row
    },
    find: (file_id) => findFile(store.db, file_id),
    async read(file_id) {
      const row = findFile(store.db, file_id)
      if (!row) throw new AppError("not_found", { what: "file", file_id })
      return Bun.file(pathOf(row.hash)).bytes()
    },
  }
}

/** Whole or not at all: under another name first, synced, then moved. What a full disk cut off leaves nothing. */
async function write(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${Bun.randomUUIDv7()}`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await using file = await open(temporary, "wx", 0o600)
    await file.writeFile(bytes)
    await file.sync()
    await rename(temporary, path)
  } catch (thrown) {
    await rm(temporary, { force: true })
    throw new AppError("storage_failed", { reason: (thrown as NodeJS.ErrnoException).code }, thrown)
  }
}

const signatures: [offset: number, bytes: string, mime: string][] = [
  [0, "\x89PNG\r\n\x1a\n", "image/png"],
  [0, "\xff\xd8\xff", "image/jpeg"],
  [0, "GIF87a", "image/gif"],
  [0, "GIF89a", "image/gif"],
  [8, "WEBP", "image/webp"],
  [0, "%PDF-", "application/pdf"],
  [0, "PK\x03\x04", "application/zip"],
  [0, "\x1f\x8b", "application/gzip"],
  [4, "ftyp", "video/mp4"],
  [0, "ID3", "audio/mpeg"],
  [8, "WAVE", "audio/wav"],
  [0, "OggS", "audio/ogg"],
]

/** By content and never by what the client says it is; text is what decodes as UTF-8 without a NUL. */
export function sniff(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 64)).toString("latin1")
  const known = signatures.find(([offset, text]) => head.startsWith(text, offset))
  if (known) return known[2]
  return isText(bytes) ? "text/plain" : "application/octet-stream"
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch (thrown) {
    if (thrown instanceof TypeError) return false
    throw thrown
  }
}
