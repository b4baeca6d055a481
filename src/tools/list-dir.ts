import { Type } from "@sinclair/typebox"
import type { FileStat } from "../security/files/files.ts"
import { explain } from "./missing.ts"
import { toCount, toShown, toSize } from "./text.ts"
import { defineTool } from "./tool.ts"

const entries_max = 500

export const listDir = defineTool({
  name: "list_dir",
  description: "List a folder.",
  effect: "read",
  group: "files",
  params: Type.Object(
    { path: Type.Optional(Type.String({ description: "Folder." })) },
    { additionalProperties: false },
  ),
  targets: ({ path = "." }, { files }) => [files.toTarget(path, "read")],
  async run({ path = "." }, context) {
    const { entries } = await context.files.list(path).catch(async (thrown) => {
      throw await explain(thrown, path, context)
    })
    if (entries.length === 0) return `${toShown(path)} is empty.`
    const folders = entries.filter(({ type }) => type === "folder")
    const sorted = [...folders, ...entries.filter(({ type }) => type !== "folder")]
    const lines = sorted.slice(0, entries_max).map(toLine)
    const more = sorted.length - lines.length
    if (more > 0) {
      lines.push(
        `[${toCount(more, "more entry", "more entries")} of ${sorted.length}; search_files with a glob finds them]`,
      )
    }
    return lines.join("\n")
  },
})

function toLine({ name, type, bytes }: FileStat & { name: string }): string {
  if (type === "folder") return `${toShown(name)}/`
  if (type === "file") return `${toShown(name)}  ${toSize(bytes)}`
  return `${toShown(name)}  (${type === "link" ? "link" : "neither a file nor a folder"})`
}
