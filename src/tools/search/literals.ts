import type { Node } from "./pattern.ts"

const literals_max = 8

/**
 * Words of which at least one is in every match, so that a text without them needs no machine; undefined where there are
 * none. Longer ones are rarer, so the longest are chosen.
 */
export function literalsOf(node: Node): string[] | undefined {
  const found = required(node)
  return found.length > 0 && found.every((text) => text.length > 0) ? found : undefined
}

const least = (texts: string[]): number => Math.min(...texts.map((text) => text.length))

/** Some of these are in every match; [""] says nothing. */
function required(node: Node): string[] {
  if (node.type === "set") return [letterOf(node) ?? ""]
  if (node.type === "assert") return [""]
  if (node.type === "repeat") return node.min > 0 ? required(node.node) : [""]
  if (node.type === "any") {
    const texts = node.nodes.flatMap(required)
    return texts.length > literals_max ? [""] : [...new Set(texts)]
  }
  return longestOf(node.nodes)
}

function longestOf(nodes: Node[]): string[] {
  let best = [""]
  let run = ""
  const consider = (texts: string[]) => {
    if (least(texts) > least(best)) best = texts
  }
  for (const node of nodes) {
    const letter = node.type === "set" ? letterOf(node) : undefined
    if (letter !== undefined) {
      run += letter
      continue
    }
    consider([run])
    // An assertion reads nothing, so what is around it still stands together.
    if (node.type !== "assert") run = ""
    consider(required(node))
  }
  consider([run])
  return best
}

const letterOf = ({ only }: Extract<Node, { type: "set" }>): string | undefined =>
  only === undefined ? undefined : String.fromCodePoint(only)
