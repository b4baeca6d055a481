/** Reads shell strings in a thread of its own: the parser is compiled C, which a hostile text can make slow or abort. */
import { parseShell } from "./grammar.ts"
import type { Answer } from "./thread.ts"
import { walkShell } from "./walk.ts"

declare const self: Worker

const parse_time_ms_max = 500

self.onmessage = async ({ data }: MessageEvent<string>) => self.postMessage(await read(data))

async function read(text: string): Promise<Answer> {
  try {
    const tree = await parseShell(text, parse_time_ms_max)
    if (!tree) return { given_up: true }
    const reading = walkShell(tree.rootNode, text)
    tree.delete()
    return { reading }
  } catch (thrown) {
    // The parser is not to be used again; whoever asked ends the thread.
    return { given_up: true, cause: `${thrown}` }
  }
}
