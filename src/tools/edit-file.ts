import { type Static, Type } from "@sinclair/typebox"
import { applyChanges, type Change, type Edit, findChanges, newlinesIn } from "./match.ts"
import { explain } from "./missing.ts"
import { binaryKindOf, decodeUtf8, type Encoding, encodingOf, toCount, toShown, toSize } from "./text.ts"
import { defineTool } from "./tool.ts"

/** The gateway waits while it is decoded, changed and encoded: some 30 ms. */
const file_bytes_max = 8 * 1024 * 1024
const edits_max = 100
/** Each edit goes through the text twice. */
const searched_length_max = 100_000_000
const diff_length_max = 8_192
/** Beyond it a diff is not worked out, as splitting into lines alone takes the gateway's time. */
const diffed_length_max = 524_288
/** Lines gone and come: its square is the work, some 25 ms. A bound in time would make the answer depend on the load. */
const diffed_lines_max = 400

const old_text = Type.String({ description: "Exact, unique." })
const new_text = Type.String({ description: "Instead." })
const all = Type.Optional(Type.Boolean({ description: "Everywhere." }))
const several = Type.Object({ old_text, new_text, all })

const params = Type.Object(
  {
    path: Type.String({ description: "File." }),
    old_text: Type.Optional(old_text),
    new_text: Type.Optional(new_text),
    edits: Type.Optional(Type.Array(several, { description: "Several." })),
  },
  { additionalProperties: false },
)

export const editFile = defineTool({
  name: "edit_file",
  description: "Replace text in a file.",
  effect: "write",
  group: "files",
  exclusive: true,
  params,
  targets: ({ path }, { files }) => [files.toTarget(path, "read"), files.toTarget(path, "write")],
  async run(input, context) {
    const { path } = input
    const edits = toEdits(input)
    const { bytes, stat } = await context.files
      .read(path, { bytes_max: file_bytes_max + 1 })
      .catch(async (thrown) => {
        throw await explain(thrown, path, context)
      })
    if (bytes.length > file_bytes_max) {
      throw new Error(`${toShown(path)} is ${toSize(stat.bytes)}; over ${toSize(file_bytes_max)} use exec.`)
    }
    const kind = binaryKindOf(bytes)
    if (kind) throw new Error(`${toShown(path)} is not text: ${kind}, ${toSize(bytes.length)}.`)
    const { text, encoding, mark } = decode(path, bytes)
    if (edits.length > 1 && edits.length * text.length > searched_length_max)
      throw new Error(`Those are too many edits at once for a file of ${toSize(bytes.length)}; make fewer.`)
    const changes = findChanges(text, edits)
    const after = applyChanges(text, changes)
    await context.files.write(path, encode(after, encoding, mark), bytes)
    return `Edited ${toShown(path)}: ${toCount(changes.length, "replacement")}.\n${await toDiff(path, text, changes)}`
  },
})

function toEdits({ old_text, new_text, edits }: Static<typeof params>): Edit[] {
  if (edits?.length === 0) throw new Error("edits is empty.")
  if (edits && edits.length > edits_max) throw new Error(`At most ${edits_max} edits at once.`)
  const has_one = old_text !== undefined && new_text !== undefined
  if (edits && old_text === undefined && new_text === undefined) return edits
  if (has_one && !edits) return [{ old_text, new_text }]
  throw new Error("Give either old_text and new_text, or edits.")
}

type Decoded = { text: string; encoding: Encoding; mark: Uint8Array }

function decode(path: string, bytes: Uint8Array): Decoded {
  const { encoding, mark } = encodingOf(bytes)
  const [head, body] = [bytes.subarray(0, mark), bytes.subarray(mark)]
  if (encoding === "utf-8") {
    const { text, valid } = decodeUtf8(body)
    if (valid) return { text, encoding, mark: head }
  } else {
    const text = new TextDecoder(encoding, { ignoreBOM: true }).decode(body)
    if (Buffer.compare(encode(text, encoding, head), bytes) === 0) return { text, encoding, mark: head }
  }
  throw new Error(
    `${toShown(path)} is not valid ${encoding.toUpperCase()}; an edit would damage it. Nothing was written.`,
  )
}

function encode(text: string, encoding: Encoding, mark: Uint8Array): Uint8Array {
  const body = Buffer.from(text, encoding === "utf-8" ? "utf8" : "utf16le")
  return Buffer.concat([mark, encoding === "utf-16be" ? body.swap16() : body])
}

/**
 * What changed, as a unified diff that is cut where it is long. Only the lines between the first and the last change are
 * compared, and a few around them.
 */
async function toDiff(path: string, before: string, changes: readonly Change[]): Promise<string> {
  const start = lineStart(before, changes[0]!.start, context_lines)
  const end = lineEnd(before, changes.at(-1)!.end, context_lines)
  const grown = changes.reduce((sum, change) => sum + change.text.length, 0)
  if (end - start + grown > diffed_length_max) return "[the diff is too large to show]"
  const old = before.slice(start, end)
  const moved = changes.map((change) => ({ ...change, start: change.start - start, end: change.end - start }))
  const { structuredPatch, formatPatch } = await import("diff")
  const name = toShown(path)
  const patch = structuredPatch(name, name, old, applyChanges(old, moved), undefined, undefined, {
    context: context_lines,
    maxEditLength: diffed_lines_max,
  })
  if (patch === undefined) return "[the diff is too large to show]"
  const skipped = newlinesIn(before, 0, start)
  const hunks = patch.hunks.map((hunk) => ({
    ...hunk,
    oldStart: hunk.oldStart + skipped,
    newStart: hunk.newStart + skipped,
  }))
  const headers = { includeIndex: false, includeUnderline: false, includeFileHeaders: false }
  const whole = formatPatch({ ...patch, hunks }, headers)
  if (whole.length <= diff_length_max) return whole.replace(/\n$/, "")
  const shown = whole.slice(0, whole.lastIndexOf("\n", diff_length_max))
  return `${shown}\n[the diff is cut; ${toCount(whole.length - shown.length, "more character")}]`
}

const context_lines = 3

/** Where the line begins that is so many lines before a place. */
function lineStart(text: string, place: number, lines: number): number {
  let at = place
  for (let i = 0; i <= lines && at >= 0; i++) at = at === 0 ? -1 : text.lastIndexOf("\n", at - 1)
  return at + 1
}

/** Where the line ends that is so many lines after a place, its line break included. */
function lineEnd(text: string, place: number, lines: number): number {
  let at = place
  for (let i = 0; i <= lines; i++) {
    const newline = text.indexOf("\n", at)
    if (newline === -1) return text.length
    at = newline + 1
  }
  return at
}
