import { join } from "node:path"
import type { Bench } from "../measure.ts"
import type { Million } from "../million.ts"
import { makeHome } from "../servers.ts"

/** Takes several minutes, nearly all of them for the graph. */
export const million: Bench = {
  name: "million",
  async measure({ quick }) {
    using home = makeHome()
    const rows = quick ? 100_000 : 1_000_000
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "../million.ts"), home.path, `${rows}`],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    )
    const [text, status] = await Promise.all([new Response(child.stdout).text(), child.exited])
    if (status !== 0) throw new Error(`bench/million.ts ended with ${status}`)
    const made: Million = JSON.parse(text)
    const title = `${rows.toLocaleString("en")} rows by HNSW`
    const scan_ms = made.scan_ms.toFixed(2)
    return [
      {
        name: "million_search",
        title: `${title}: a search at a recall of .99`,
        unit: "ms",
        value: made.search_ms,
        reference: made.scan_ms,
        ratio: made.search_ms / made.scan_ms,
        note: `breadth ${made.breadth}, recall ${made.recall.toFixed(4)}; the exact scan takes ${scan_ms} ms; built in ${made.build_s.toFixed(0)} s`,
      },
      {
        name: "million_memory",
        title: `${title}: memory that is no file's`,
        unit: "MB",
        value: made.anonymous_bytes / 1e6,
        note: `of it the graph ${(made.graph_bytes / 1e6).toFixed(0)} MB`,
      },
    ]
  },
}
