/** Writes the beginning of a plugin: a source that works, its manifest and the one file that it needs of ours. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { defineCommand } from "citty"
import { UsageError } from "../find-command.ts"
import { printResult } from "../output.ts"
import type { Language } from "./compile.ts"
import { readSdk } from "./embedded.ts"

const endings: Record<Language, string> = { assemblyscript: "ts", c: "c", rust: "rs" }
const sdks: Record<Language, string> = { assemblyscript: "weft.ts", c: "weft.h", rust: "weft.rs" }

/** As models may call a tool, and a file on every system. */
const name_pattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

export const create = () =>
  defineCommand({
    meta: { name: "new", description: "Write the beginning of a plugin, which works as it is" },
    args: {
      name: { type: "positional", required: true, description: "What it is called" },
      language: {
        type: "enum",
        options: ["assemblyscript", "c", "rust"],
        default: "assemblyscript",
        description: "What it is written in",
      },
      kind: { type: "enum", options: ["tool", "channel"], default: "tool", description: "What it is" },
      folder: { type: "string", description: "Where to write it; a folder of its name by default" },
    },
    async run({ args: { name, language, kind, folder = name } }) {
      if (!name_pattern.test(name) || name === "weft") {
        throw new UsageError("A plugin's name has letters, digits, - and _, 64 at most, and is not weft.")
      }
      const files = writeProject(folder, name, language, kind)
      await printResult(`Wrote ${files.join(", ")}.\n${nextSteps(folder, name, kind)}`)
    },
  })

/** Returns the paths that it wrote. Nothing is written where one of them is there. */
function writeProject(folder: string, name: string, language: Language, kind: string): string[] {
  const ending = endings[language]
  const fill = (text: string) => text.replaceAll("NAME", name).replaceAll("KIND", kind)
  const files = new Map([
    [join(folder, `${name}.${ending}`), fill(readSdk(`new/${kind}.${ending}`))],
    [join(folder, `${name}.toml`), fill(readSdk("new/manifest.toml"))],
    [join(folder, sdks[language]), readSdk(sdks[language])],
  ])
  const found = [...files.keys()].find((path) => existsSync(path))
  if (found !== undefined) throw new UsageError(`${found} is there already; nothing was written.`)
  mkdirSync(folder, { recursive: true })
  for (const [path, text] of files) writeFileSync(path, text, { flag: "wx" })
  return [...files.keys()]
}

function nextSteps(folder: string, name: string, kind: string): string {
  const module = join(folder, `${name}.wasm`)
  const trial =
    kind === "tool" ? `${name} '{"text":"hello"}'` : `parse_incoming '{"text":"Hello","from":"ann"}'`
  return `Then:\n  weft plugin build ${folder}\n  weft plugin call ${module} ${trial}`
}
