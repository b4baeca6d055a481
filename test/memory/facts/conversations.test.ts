/** What the patterns make of the open conversations. The held ones are the context's to report, never this file's. */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { extractFacts } from "../../../src/memory/facts/extract.ts"
import type { FoundFact } from "../../../src/memory/facts/fact.ts"

type Script = {
  id: string
  plants: { text: string }[]
  expect: string[]
  wrong?: string[]
}

const folder = join(import.meta.dir, "../conversations")
const linesOf = <T>(name: string): T[] =>
  readFileSync(join(folder, `${name}.jsonl`), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T)

const found = (text: string) => extractFacts(text, { said_ms: 0 })
const has = (facts: FoundFact[], value: string) =>
  facts.some(({ object }) => object.toLowerCase().includes(value.toLowerCase()))

// Others say it in passing ("the canteen at Halvorsen Marine has switched to card only"): that is for the search,
// not for patterns.
test.each([
  ["en", 0.68],
  ["de", 0.58],
  ["es", 0.38],
  ["zh", 0.68],
] as const)("of what the open scripts in %s plant, the patterns find at least %d", (language, share_min) => {
  const rows = linesOf<Script>(`${language}.open`).map((script) => ({
    script,
    facts: script.plants.flatMap(({ text }) => found(text)),
  }))
  const expected = rows.flatMap(({ script, facts }) => script.expect.map((value) => has(facts, value)))
  const share = expected.filter(Boolean).length / expected.length
  console.log(
    `${language}: ${expected.filter(Boolean).length} of ${expected.length} planted values found by patterns`,
  )
  expect(share).toBeGreaterThanOrEqual(share_min)
  const own = (facts: FoundFact[]) => facts.filter(({ subject }) => subject === "user")
  expect(
    rows.flatMap(({ script, facts }) => (script.wrong ?? []).filter((value) => has(own(facts), value))),
  ).toEqual([])
})

test.each(["en", "de", "es", "zh"])(
  "of the fillers in %s next to none tells a fact about the user",
  (language) => {
    const fillers = linesOf<{ user: string }>(`${language}.filler`)
    const planted = fillers.filter(({ user }) => found(user).some(({ subject }) => subject === "user"))
    console.log(`${language}: ${planted.length} of ${fillers.length} fillers tell a fact about the user`)
    expect(planted.length).toBeLessThanOrEqual(3)
  },
)
