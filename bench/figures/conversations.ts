import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Conversation, languages, measureConversations } from "../conversations.ts"
import type { Bench, Figure } from "../measure.ts"
import { median, quantile } from "../measure.ts"

/** A fact of turn 5 and later asked for at turn 50, after a restart; the share whose every expected word is there. */
export const conversations: Bench = {
  name: "conversations",
  async measure({ quick }) {
    const figures: Figure[] = []
    for (const set of ["open", "held"] as const) {
      const folder = mkdtempSync(join(tmpdir(), "weft-conversations-"))
      try {
        const held = await measureConversations({ set, folder, ...(quick && { limit: 5 }) })
        figures.push(...toFigures(set, held))
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
    return figures
  },
}

function toFigures(set: "open" | "held", held: readonly Conversation[]): Figure[] {
  const tokens = held.map((one) => one.tokens)
  const share = (some: readonly Conversation[]) =>
    (100 * some.filter(({ missing }) => missing.length === 0).length) / some.length
  const by = languages.map((language) => {
    const some = held.filter(({ id }) => id.startsWith(language))
    return `${language} ${share(some).toFixed(0)} %`
  })
  const count = (of: "stale" | "outdated" | "wrong") => held.filter((one) => one[of].length > 0).length
  const note = `${by.join(", ")}; ${count("stale")} with a replaced value alone, ${count("outdated")} with one among the facts beside the new one, ${count("wrong")} with somebody else's as the user's`
  const title = `${held.length} conversations of 50 turns (${set}): recalled`
  return [
    { name: `conversations_${set}`, title, unit: "%", value: share(held), note },
    {
      name: `conversations_${set}_tokens`,
      title: `the largest context of those (${set})`,
      unit: "tokens",
      value: Math.max(...tokens),
      note: `median ${median(tokens).toFixed(0)}; assembled in ${quantile(
        held.map(({ took_ms }) => took_ms),
        0.5,
      ).toFixed(1)} ms (median, the first after a start)`,
    },
  ]
}
