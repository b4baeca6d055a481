import type { AST } from "toml-eslint-parser"
import { depth_max, type Path } from "./schema-tree.ts"

export type Position = { line: number; column: number }

/** Looks up where a key was written; for one that was not, where the nearest table around it was. */
export type Positions = (path: Path) => Position | undefined

/**
 * The reader of the values reports no positions, so a second parser, loaded only when there is something to
 * say, goes over a text that the first one has accepted.
 */
export async function readPositions(text: string): Promise<Positions> {
  const { parseTOML } = await import("toml-eslint-parser")
  const found = new Map<string, Position>()
  const note = (path: Path, node: AST.TOMLNode) => {
    if (path.length > depth_max) return
    const key = JSON.stringify(path)
    if (!found.has(key)) found.set(key, { line: node.loc.start.line, column: node.loc.start.column + 1 })
  }
  const visitValue = (path: Path, value: AST.TOMLContentNode) => {
    if (value.type === "TOMLInlineTable") for (const pair of value.body) visitPair(path, pair)
    if (value.type !== "TOMLArray") return
    for (const [index, element] of value.elements.entries()) {
      note([...path, index], element)
      visitValue([...path, index], element)
    }
  }
  const visitTable = ({ resolvedKey, key }: AST.TOMLTable) => {
    const keys = key.keys.values()
    let node = key.keys[0]!
    for (const [index, part] of resolvedKey.entries()) {
      if (typeof part === "string") node = keys.next().value ?? node
      note(resolvedKey.slice(0, index + 1), node)
    }
  }
  const visitKeys = (base: Path, keys: (AST.TOMLBare | AST.TOMLQuoted)[]): Path => {
    const path = [...base]
    for (const key of keys) {
      path.push(key.type === "TOMLBare" ? key.name : key.value)
      note(path, key)
    }
    return path
  }
  const visitPair = (base: Path, { key, value }: AST.TOMLKeyValue) =>
    visitValue(visitKeys(base, key.keys), value)

  for (const node of nodesOf(text, parseTOML)) {
    if (node.type === "TOMLKeyValue") {
      visitPair([], node)
      continue
    }
    visitTable(node)
    for (const pair of node.body) visitPair(node.resolvedKey, pair)
  }
  return (path) => {
    for (let length = Math.min(path.length, depth_max); length > 0; length--) {
      const position = found.get(JSON.stringify(path.slice(0, length)))
      if (position) return position
    }
    return undefined
  }
}

/** Should the two parsers ever disagree about a text, a problem without its line is better than none at all. */
function nodesOf(text: string, parseTOML: typeof import("toml-eslint-parser").parseTOML) {
  try {
    return parseTOML(text, { tomlVersion: "1.1" }).body[0].body
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return []
    throw thrown
  }
}
