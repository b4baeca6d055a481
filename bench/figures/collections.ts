import { readdirSync } from "node:fs"
import { join } from "node:path"
import { openLog } from "../../src/base/log.ts"
import { toSessionKey } from "../../src/base/session-key.ts"
import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { openHashEmbedder } from "../../src/memory/embed/hash.ts"
import { openIndexer } from "../../src/memory/index/indexer.ts"
import { openVectors } from "../../src/memory/vectors/open.ts"
import { addMessage } from "../../src/store/messages.ts"
import { openStore } from "../../src/store/open.ts"
import { touchSession } from "../../src/store/sessions.ts"
import type { Opened } from "../collections.ts"
import { fillerMessages } from "../data/retrieval/filler.ts"
import { type Bench, type Figure, median } from "../measure.ts"
import { makeHome } from "../servers.ts"

const rows = 100_000

/** Opening a collection, by a new process each time, to its first exact answer. */
export const collections: Bench = {
  name: "collections",
  async measure({ quick }) {
    using home = makeHome()
    await run("fill", home.path, `${rows}`)
    const [clean, cold]: [Opened[], Opened[]] = [[], []]
    for (let round = 0; round < (quick ? 3 : 9); round++) {
      clean.push(await open(home.path, "clean"))
      forgetFiles(home.path)
      cold.push(await open(home.path, "clean"))
    }
    const unclean: Opened[] = []
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      await run("tear", home.path)
      unclean.push(await open(home.path, "unclean"))
    }
    const of = (opened: Opened[], key: "first_ms" | "next_ms" | "settled_ms") =>
      median(opened.map((each) => each[key]))
    const title = `opening ${rows.toLocaleString("en")} vectors to the first exact answer`
    const scan_ms = of(clean, "next_ms").toFixed(1)
    const cold_ms = of(cold, "first_ms").toFixed(0)
    return [
      {
        name: "collection_open",
        title: `${title}, after a clean stop`,
        unit: "ms",
        value: of(clean, "first_ms"),
        note: `the next search ${scan_ms} ms; files not in memory ${cold_ms} ms`,
      },
      {
        name: "collection_unclean",
        title: `${title}, after an unclean one`,
        unit: "ms",
        value: of(unclean, "first_ms"),
        note: `checked and complete after ${of(unclean, "settled_ms").toFixed(0)} ms; "${unclean[0]!.index}"`,
      },
    ]
  },
}

async function run(...words: string[]): Promise<string> {
  const command = [process.execPath, join(import.meta.dir, "../collections.ts"), ...words]
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" })
  const [text, status] = await Promise.all([new Response(child.stdout).text(), child.exited])
  const is_killed = words[0] === "tear" && child.signalCode === "SIGKILL"
  if (status !== 0 && !is_killed) throw new Error(`bench/collections.ts ${words[0]} ended with ${status}`)
  return text
}

async function open(folder: string, how: Opened["opened"]): Promise<Opened> {
  const opened: Opened = JSON.parse(await run("open", folder))
  if (opened.opened !== how || opened.looked_at < rows)
    throw new Error(`opened ${opened.opened}, and ${opened.looked_at} rows were looked at`)
  return opened
}

/** So that they are read from the disk. Where `dd` cannot do that, they stay. */
function forgetFiles(folder: string): void {
  for (const entry of readdirSync(join(folder, "vectors"), { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      Bun.spawnSync(["dd", `if=${join(entry.parentPath, entry.name)}`, "iflag=nocache", "count=0"])
}

/** What the gateway does in the background with every message: words, hash embedding, vector, synced. */
export const insert: Bench = {
  name: "memory_insert",
  async measure({ quick }) {
    const [count, rates] = [quick ? 4_000 : 20_000, [] as number[]]
    for (let round = 0; round < (quick ? 1 : 3); round++) rates.push(await insertsPerSecond(count))
    const figure: Figure = {
      name: "memory_insert",
      title: "messages made findable (words and vectors by the hash embedder, durable), in batches of 128",
      unit: "1/s",
      value: median(rates),
      note: `${count.toLocaleString("en")} messages`,
    }
    return [figure]
  },
}

async function insertsPerSecond(count: number): Promise<number> {
  using home = makeHome()
  const log = openLog("warn", console.error)
  const now_ms = () => Date.UTC(2026, 0, 1)
  const kernel = loadVectorKernel()
  const embedder = openHashEmbedder(kernel)
  await using store = openStore(join(home.path, "weft.db"))
  const settings = {
    hot_rows_max: 200_000,
    warm_rows_max: 200_000,
    warm_after_days: 90,
    cold_after_days: 365,
  }
  const folder = join(home.path, "vectors")
  await using vectors = openVectors({
    ...{ store, kernel, folder, now_ms, log },
    settings: { index: "exact", ...settings },
  })
  const set = await vectors.use(embedder.id, embedder.dim()!)
  await store.commit((db) => {
    const parts = { agent: "default", channel: "ws", account: "default", peer: "main" }
    const session = touchSession(db, toSessionKey(parts), parts, now_ms())
    for (const { id, text } of fillerMessages(count)) {
      const role = Number(id.slice(1)) % 2 === 0 ? "assistant" : "user"
      addMessage(db, session.id, {
        ...{ turn_id: id, created_ms: now_ms(), role },
        parts: [{ type: "text", text }],
      })
    }
  })
  const { signal } = new AbortController()
  const indexer = openIndexer({ store, vectors, log, now_ms, signal }, () => [{ set, embedder }])
  const begun = performance.now()
  while ((await indexer.step()) > 0);
  await vectors.settle()
  const seconds = (performance.now() - begun) / 1000
  const held = vectors.state().sets[0]!.rows.hot
  if (held !== count) throw new Error(`${held} of ${count} messages have a vector`)
  return count / seconds
}
