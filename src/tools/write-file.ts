import { Type } from "@sinclair/typebox"
import { newlinesIn } from "./match.ts"
import { toCount, toShown, toSize } from "./text.ts"
import { defineTool, type ToolContext } from "./tool.ts"

/** Beyond this what changed is not counted, as splitting into lines alone takes the gateway's time. */
const compared_bytes_max = 1 << 18

export const writeFile = defineTool({
  name: "write_file",
  description: "Write a whole file.",
  effect: "write",
  group: "files",
  exclusive: true,
  params: Type.Object(
    {
      path: Type.String({ description: "File." }),
      content: Type.String({ description: "All of it." }),
    },
    { additionalProperties: false },
  ),
  targets: ({ path }, { files }) => [files.toTarget(path, "write")],
  async run({ path, content }, context) {
    const bytes = new TextEncoder().encode(content)
    const before = bytes.length > compared_bytes_max ? undefined : await readBefore(path, context)
    const { created } = await context.files.write(path, bytes)
    const size = `${toSize(bytes.length)}, ${toCount(linesOf(content), "line")}`
    if (created) return `Created ${toShown(path)} (${size}).`
    const changed = before === undefined ? "" : `; ${await changesOf(before, content)}`
    return `Replaced ${toShown(path)} (${size}${changed}).`
  },
})

/** What the file held, where the call may see it and it is short enough to compare. */
async function readBefore(path: string, { files, mayTouch }: ToolContext): Promise<string | undefined> {
  if (!mayTouch(files.toTarget(path, "read"))) return undefined
  return await files.read(path, { bytes_max: compared_bytes_max + 1 }).then(
    ({ bytes }) => (bytes.length > compared_bytes_max ? undefined : new TextDecoder().decode(bytes)),
    // Whether it can be written is for the write to say.
    () => undefined,
  )
}

async function changesOf(before: string, after: string): Promise<string> {
  if (before === after) return "the same as before"
  const { diffLines } = await import("diff")
  const changes = diffLines(before, after, { timeout: 20 })
  if (!changes) return "much of it changed"
  const count = (of: "added" | "removed") =>
    changes.reduce((sum, change) => sum + (change[of] ? change.count : 0), 0)
  return `+${count("added")} -${count("removed")} lines`
}

function linesOf(text: string): number {
  if (text === "") return 0
  const newlines = newlinesIn(text, 0, text.length)
  return text.endsWith("\n") ? newlines : newlines + 1
}
