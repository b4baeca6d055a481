import { Type } from "@sinclair/typebox"
import type { FileStat, Files } from "../security/files/files.ts"
import { explain } from "./missing.ts"
import { headOf, page_lines_max, readPage } from "./page.ts"
import {
  binaryKindOf,
  decodeUtf8,
  type Encoding,
  encodingOf,
  imageTypeOf,
  toCount,
  toShown,
  toSize,
} from "./text.ts"
import { defineTool, type ToolContext, type ToolOutput } from "./tool.ts"

/** What the providers take, all of them. */
const image_bytes_max = 5 * 1024 * 1024
/** Of nothing but line breaks, these take some 20 ms to count. */
const chunk_bytes = 1 << 18

export const readFile = defineTool({
  name: "read_file",
  description: "Read text in pages, or see an image.",
  effect: "read",
  group: "files",
  params: Type.Object(
    {
      path: Type.String({ description: "File." }),
      offset: Type.Optional(Type.Integer({ description: "First line." })),
      limit: Type.Optional(Type.Integer({ description: "Most lines." })),
      column: Type.Optional(Type.Integer({ description: "Byte in it." })),
    },
    { additionalProperties: false },
  ),
  targets: ({ path }, { files }) => [files.toTarget(path, "read")],
  async run({ path, ...range }, context): Promise<ToolOutput> {
    const offset = Math.max(1, range.offset ?? 1)
    const limit = Math.max(1, Math.min(range.limit ?? page_lines_max, page_lines_max))
    const column = Math.max(1, range.column ?? 1)
    const { bytes: first, stat } = await open(path, context)
    const mime = imageTypeOf(first)
    if (mime) return await showImage(path, mime, stat, context.files)
    const kind = binaryKindOf(first)
    if (kind) return `${toShown(path)} is not text: ${kind}, ${toSize(stat.bytes)}.`
    if (stat.bytes === 0) return `${toShown(path)} is empty.`

    const { encoding, mark } = encodingOf(first)
    const chunks = textOf(chunksOf(path, first, stat, context), encoding, mark)
    const page = await readPage(chunks, { offset, limit, column })
    if (page.lines === 0) return `${toShown(path)} is empty but for its byte order mark.`
    if (offset > page.lines)
      throw new Error(
        `${toShown(path)} has only ${toCount(page.lines, "line")}, so none at offset=${offset}.`,
      )
    if (page.cut && page.cut.from > page.cut.of)
      throw new Error(`Line ${offset} has only ${toCount(page.cut.of, "byte")}, so none at column=${column}.`)
    const { text, valid } = decodeUtf8(page.bytes)
    const notes = [
      ...(valid ? [] : ["[not all of it is UTF-8; the bytes that are not are shown as \ufffd]"]),
      ...(encoding === "utf-8" ? [] : [`[converted from ${encoding.toUpperCase()}]`]),
      headOf(page) ?? [],
    ].flat()
    return [...notes, text].join("\n")
  },
})

async function open(path: string, context: ToolContext) {
  try {
    return await context.files.read(path, { bytes_max: chunk_bytes })
  } catch (thrown) {
    if (await isFolder(path, context.files)) {
      throw new Error(`${toShown(path)} is a folder; list_dir shows what is in it.`, { cause: thrown })
    }
    throw await explain(thrown, path, context)
  }
}

const isFolder = (path: string, files: Files): Promise<boolean> =>
  files.stat(path).then(
    ({ type }) => type === "folder",
    () => false,
  )

async function showImage(path: string, mime: string, stat: FileStat, files: Files): Promise<ToolOutput> {
  const said = `${toShown(path)}: ${mime}, ${toSize(stat.bytes)}.`
  if (stat.bytes > image_bytes_max) {
    return `${said} Images over ${toSize(image_bytes_max)} cannot be shown; make a smaller copy.`
  }
  const { bytes } = await files.read(path, { bytes_max: image_bytes_max })
  return { text: said, images: [{ bytes, mime }] }
}

/** The whole file, a piece at a time. */
async function* chunksOf(
  path: string,
  first: Uint8Array,
  { bytes: bytes_all }: FileStat,
  { files, signal }: ToolContext,
): AsyncGenerator<Uint8Array> {
  yield first
  for (let offset = first.length; offset < bytes_all; ) {
    signal.throwIfAborted()
    const { bytes } = await files.read(path, { offset, bytes_max: chunk_bytes })
    // It became shorter meanwhile.
    if (bytes.length === 0) return
    yield bytes
    offset += bytes.length
  }
}

/** Without the byte order mark, and as UTF-8 whatever it was. */
async function* textOf(
  chunks: AsyncIterable<Uint8Array>,
  encoding: Encoding,
  mark: number,
): AsyncGenerator<Uint8Array> {
  const decoder = encoding === "utf-8" ? undefined : new TextDecoder(encoding)
  let skip = mark
  for await (const chunk of chunks) {
    yield decoder ? Buffer.from(decoder.decode(chunk, { stream: true })) : chunk.subarray(skip)
    skip = 0
  }
  if (decoder) yield Buffer.from(decoder.decode())
}
