import { expect, test } from "bun:test"
import { join } from "node:path"
import { buildExecutable, buildMaps } from "../../scripts/executable.ts"
import { makeCheckout } from "./checkout.ts"

const script = join(import.meta.dir, "../../scripts/trace.ts")
const errors = join(import.meta.dir, "../../src/base/errors.ts")

const main = `
import { toTrace } from ${JSON.stringify(errors)}
const { readRows } = await import("./rows.ts")
try {
  await readRows("table")
} catch (thrown) {
  console.log(JSON.stringify({ message: "it failed", cause: toTrace(thrown) }))
}`

const rows = `export async function readRows(name: string): Promise<never> {
  await Promise.resolve()
  return checkRow(name)
}
function checkRow(name: string): never {
  throw new TypeError("no row of " + name, { cause: new RangeError("at the end") })
}`

test("the trace of an executable is read with the maps of the same sources", async () => {
  using checkout = makeCheckout()
  checkout.write("app/main.ts", main)
  checkout.write("app/rows.ts", rows)
  const [entry, outfile, maps] = [checkout.at("app/main.ts"), checkout.at("out/app"), checkout.at("out/maps")]
  await buildExecutable(entry, outfile)
  await buildMaps(entry, outfile, maps)
  const log = checkout.run([outfile]).out
  expect(log).toContain("$bunfs/root/chunk-")
  expect(log).not.toContain("rows.ts")

  const read = trace(log, maps)
  expect(read).toMatchObject({ status: 0, error: "" })
  const { cause } = JSON.parse(read.out) as { cause: string }
  const [thrown, caused] = cause.split("caused by ") as [string, string]
  expect(thrown).toMatch(/^TypeError: no row of table\n.*app\/rows.ts:6:13\)\n.*app\/rows.ts:3:10\)\n/)
  expect(caused).toMatch(/^RangeError: at the end\n.*app\/rows.ts:6:\d+\)\n/)
})

test("places of another build are left as they are and said to be", async () => {
  using checkout = makeCheckout()
  checkout.write("maps", JSON.stringify({ "chunk-b.js": { sources: [], mappings: "" } }))
  const line = "at n (/$bunfs/root/chunk-a.js:2:108), /$bunfs/root/chunk-b.js:2:1, not/$bunfs/a.js:1:1\n"
  const read = trace(line, checkout.at("maps"))
  expect(read).toMatchObject({ status: 1, out: line })
  expect(read.error).toContain("it has no chunk-a.js\n")
  expect(read.error).not.toContain("chunk-b.js")
})

test("Windows' paths are read in a stack and in a line of the log", async () => {
  using checkout = makeCheckout()
  const map = { sources: ["src/tools/search/worker.ts"], mappings: "AAAA" }
  checkout.write("maps", JSON.stringify({ "tools/search/worker.js": map }))
  const stack = String.raw`at n (B:\~BUN\root\tools\search\worker.js:1:9)`
  const read = trace(`${stack}\n${JSON.stringify({ stack })}`, checkout.at("maps"))
  const place = "at n (src/tools/search/worker.ts:1:1)"
  expect(read).toMatchObject({ status: 0, out: `${place}\n${JSON.stringify({ stack: place })}` })
})

function trace(text: string, maps: string) {
  const child = Bun.spawnSync([process.execPath, script, maps], { stdin: Buffer.from(text) })
  return { status: child.exitCode, out: child.stdout.toString(), error: child.stderr.toString() }
}
