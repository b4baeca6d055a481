import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fillersOf, languages, openHome, say } from "../conversations.ts"
import { type Bench, median, quantile } from "../measure.ts"

const messages = 5_000
/** Of a conversation that goes on: a question, its context, its answer. */
const rounds = 200

/** What a turn waits for before the model is asked, in a long session: search, facts, summaries, recent turns. */
export const contextAssembly: Bench = {
  name: "context",
  async measure({ quick }) {
    const folder = mkdtempSync(join(tmpdir(), "weft-context-"))
    try {
      await using home = await openHome(folder, {})
      const exchanges = languages.flatMap(fillersOf)
      for (let i = 0; i < messages / 2; i++) {
        const { user, assistant } = exchanges[i % exchanges.length]!
        home.clock.now_ms += 60_000
        await say(home, { user: `${user} (${i})`, assistant })
        if (i % 100 === 99) await home.memory.idle()
      }
      await home.memory.idle()
      const took: number[] = []
      const tokens: number[] = []
      const signal = new AbortController().signal
      for (let i = 0; i < (quick ? rounds / 4 : rounds); i++) {
        const { user, assistant } = exchanges[(i * 37) % exchanges.length]!
        home.clock.now_ms += 60_000
        const asked = await say(home, { user: `${user} once more` })
        const began = performance.now()
        const context = await home.memory.assemble({ ...asked, signal })
        took.push(performance.now() - began)
        tokens.push(context.tokens)
        await say(home, { assistant })
        await home.memory.idle()
      }
      const title = `context of a turn in a session of ${messages.toLocaleString("en")} messages, p50`
      const note = `p95 ${quantile(took, 0.95).toFixed(1)} ms; ${median(tokens).toFixed(0)} tokens`
      return [{ name: "context", title, unit: "ms", value: median(took), note }]
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}
