import type { AST } from "toml-eslint-parser"
import type { Path } from "./schema-tree.ts"

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

  for (const node of parseTOML(text, { tomlVersion: "1.1" }).body[0].body) {
    if (node.type === "TOMLKeyValue") {
      visitPair([], node)
      continue
    }
    note(node.resolvedKey, node.key.keys.at(-1)!)
    for (const pair of node.body) visitPair(node.resolvedKey, pair)
  }
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const position = found.get(JSON.stringify(path.slice(0, length)))
      if (position) return position
    }
    return undefined
  }
}
