import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { toFloats } from "../../../src/memory/vectors/image.ts"
import { listOwners } from "../../../src/store/memory.ts"
import { openChurn } from "./churn.ts"
import { vectorOf } from "./world.ts"

/** By a plain loop over what SQLite has. */
function bestOf({ store }: ReturnType<typeof openChurn>, query: Float32Array): number[] {
  const rows = store.db.query("SELECT memory_id, vector FROM vector").values() as [number, Uint8Array][]
  const score = (vector: Float32Array) => vector.reduce((sum, value, i) => sum + value * query[i]!, 0)
  return rows
    .map(([id, vector]) => ({ id, score: score(toFloats(vector)) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, 10)
    .map(({ id }) => id)
}

async function check(churn: ReturnType<typeof openChurn>): Promise<void> {
  const owner_ids = listOwners(churn.store.db).map(({ id }) => id)
  const [set] = churn.vectors.sets()
  for (const seed of [1_000_001, 1_000_002]) {
    const vector = vectorOf(seed)
    const { hits, index } = await churn.vectors.search({
      set_id: set!.id,
      vector,
      filter: { owner_ids },
      k: 10,
    })
    const ids = hits.map(({ memory_id }) => memory_id)
    const best = bestOf(churn, vector)
    if (index.startsWith("exact")) expect(ids).toEqual(best)
    else expect(ids.filter((id) => best.includes(id)).length).toBeGreaterThanOrEqual(8)
  }
}

test("a process that is killed again and again in the middle of its work leaves nothing wrong", async () => {
  const home = mkdtempSync(join(tmpdir(), "weft-churn-"))
  try {
    for (const steps of [3, 17, 40]) {
      const child = Bun.spawn(["bun", join(import.meta.dir, "churn.ts"), home], { stdout: "pipe" })
      let lines = 0
      for await (const chunk of child.stdout) {
        lines += new TextDecoder().decode(chunk).split("\n").length - 1
        if (lines >= steps) child.kill("SIGKILL")
      }
      await child.exited
      const churn = openChurn(home)
      await using _store = churn.store
      await using vectors = churn.vectors
      await check(churn)
      await vectors.idle()
      await check(churn)
      const [checked] = await vectors.check(5)
      expect(checked).toMatchObject({ digest_agrees: true, rows_in_files: checked!.rows })
      expect(checked!.rows).toBeGreaterThan(10)
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}, 30_000)
