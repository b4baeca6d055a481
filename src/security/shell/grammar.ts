/** Loads the parser of bash's grammar, 50 to 150 ms the first time; for the thread that reads shell strings. */
import grammar_path from "@vscode/tree-sitter-wasm/wasm/tree-sitter-bash.wasm" with { type: "file" }
import { Language, Parser, type Tree } from "web-tree-sitter"
import runtime_path from "web-tree-sitter/web-tree-sitter.wasm" with { type: "file" }
import { readPacked } from "../../base/packed.ts"

// Never changes once it is there.
let loading: Promise<Parser> | undefined

/** null where the text takes longer than `time_ms_max` to parse. The caller deletes the tree. */
export async function parseShell(text: string, time_ms_max: number): Promise<Tree | null> {
  loading ??= loadParser()
  const parser = await loading
  const end = performance.now() + time_ms_max
  const tree = parser.parse(text, null, { progressCallback: () => performance.now() > end })
  if (!tree) parser.reset()
  return tree
}

async function loadParser(): Promise<Parser> {
  const [runtime, grammar] = await Promise.all([runtime_path, grammar_path].map(readPacked))
  await Parser.init({ wasmBinary: runtime })
  const parser = new Parser()
  parser.setLanguage(await Language.load(grammar!))
  return parser
}
