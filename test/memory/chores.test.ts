/** What is done in the background without anybody asking for it. */
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openLog } from "../../src/base/log.ts"
import { parser } from "../../src/base/schema.ts"
import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { memorySection } from "../../src/memory/config.ts"
import { openHashEmbedder } from "../../src/memory/embed/hash.ts"
import { openMemoryService } from "../../src/memory/service.ts"
import { openStore } from "../../src/store/open.ts"
import { temporaryFolder } from "../harness.ts"

test("what was taken in is in the files of the vectors before anybody searches", async () => {
  await using home = await temporaryFolder()
  await using store = openStore(join(home.path, "weft.db"))
  const kernel = loadVectorKernel()
  const log = openLog("warn", () => undefined)
  const options = { store, kernel, folder: join(home.path, "vectors"), log, now_ms: Date.now }
  await using memory = await openMemoryService(options, {
    config: parser(memorySection.schema)({}),
    agents: new Map(),
    embedder: openHashEmbedder(kernel),
    ask: async () => undefined,
    findEmbedder: () => undefined,
    readSoul: () => [],
  })
  const reader = { agent: "default", sender: "ws:default:ann" }
  for (const text of ["Ann has a red boat.", "Bob has a blue bike."])
    await memory.add({ reader, audience: { to: "sender" }, text, tags: [], importance: 0.5, source: "user" })
  await memory.idle()
  expect((await memory.stats()).vectors).toMatchObject([{ hot: 2, missing: 0 }])
})
