/**
 * Reads a log or a stack trace of the executable on standard input and prints it with places in the sources:
 * `bun scripts/trace.ts [MAPS] < log`. The maps are those beside the executable, dist/weft.maps.json if not said
 * otherwise; building the same commit makes the same ones again.
 */
import { SourceMap } from "node:module"
import { join } from "node:path"
import type { Maps } from "./executable.ts"

const path = process.argv[2] ?? join(import.meta.dir, "../dist/weft.maps.json")
const maps: Maps = await Bun.file(path).json()
const read = new Map<string, SourceMap>()
const unknown = new Set<string>()

// In a line of the log, which is JSON, a backslash of a Windows path is two.
const place = /(?:[A-Z]:)?[\\/]+(?:\$bunfs|~BUN)[\\/]+root[\\/]+([^\s:"]+):(\d+):(\d+)/g
const text = await Bun.stdin.text()
process.stdout.write(
  text.replace(place, (whole, name, line, column) => sourceOf(name, line, column) ?? whole),
)
for (const name of unknown) console.error(`warning: ${path} is of another build: it has no ${name}`)
process.exit(unknown.size > 0 ? 1 : 0)

function sourceOf(escaped: string, line: string, column: string): string | undefined {
  const name = escaped.replaceAll(/\\+/g, "/")
  const map = mapOf(name)
  if (!map) unknown.add(name)
  // A trace counts from one, a map from nought.
  const entry = map?.findEntry(Number(line) - 1, Number(column) - 1)
  if (!entry || !("originalSource" in entry)) return undefined
  return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}

function mapOf(name: string): SourceMap | undefined {
  const map = maps[name]
  if (!map) return undefined
  const known = read.get(name)
  if (known) return known
  const { sources, mappings } = map
  const fresh = new SourceMap({
    version: 3,
    file: name,
    sources,
    sourcesContent: [],
    names: [],
    mappings,
    sourceRoot: "",
  })
  read.set(name, fresh)
  return fresh
}
