import { type Static, Type } from "@sinclair/typebox"
import { applyChanges, type Edit, findChanges } from "./match.ts"
import { explain } from "./missing.ts"
import { binaryKindOf, decodeUtf8, type Encoding, encodingOf, toCount, toShown, toSize } from "./text.ts"
import { defineTool } from "./tool.ts"

const file_bytes_max = 32 * 1024 * 1024
const diff_length_max = 8_192
/** The gateway waits for it. */
const diff_ms_max = 50

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
    const changes = findChanges(text, edits)
    const after = applyChanges(text, changes)
    await context.files.write(path, encode(after, encoding, mark), bytes)
    return `Edited ${toShown(path)}: ${toCount(changes.length, "replacement")}.\n${await toDiff(path, text, after)}`
  },
})

function toEdits({ old_text, new_text, edits }: Static<typeof params>): Edit[] {
  if (edits?.length === 0) throw new Error("edits is empty.")
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

/** What changed, as a unified diff that is cut where it is long. */
async function toDiff(path: string, before: string, after: string): Promise<string> {
  const { createTwoFilesPatch } = await import("diff")
  const name = toShown(path)
  const whole = createTwoFilesPatch(name, name, before, after, undefined, undefined, {
    context: 3,
    timeout: diff_ms_max,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: false },
  })
  if (whole === undefined) return "[the diff is too large to show]"
  if (whole.length <= diff_length_max) return whole.replace(/\n$/, "")
  const shown = whole.slice(0, whole.lastIndexOf("\n", diff_length_max))
  return `${shown}\n[the diff is cut; ${toCount(whole.length - shown.length, "more character")}]`
}
