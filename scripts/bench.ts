/**
 * Measures every figure, prints one table and writes bench/results/. `--only NAME[,NAME]`, `--quick` (fewer rounds and
 * rows), `--peers` (other gateways and libraries of vectors too, which are downloaded; the million rows as well: half an
 * hour), `--check` (exit 1 when a target is missed).
 */
import { mkdirSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { collections, insert } from "../bench/figures/collections.ts"
import { conversations } from "../bench/figures/conversations.ts"
import { exec } from "../bench/figures/exec.ts"
import { firstReply, size, version } from "../bench/figures/executable.ts"
import { hnswlibGraph, usearchGraph } from "../bench/figures/hnsw.ts"
import { kernel, micro } from "../bench/figures/kernel.ts"
import { idleMemory, sockets } from "../bench/figures/memory.ts"
import { memoryContext, memoryTurns } from "../bench/figures/memory-turns.ts"
import { million } from "../bench/figures/million.ts"
import { openclaw } from "../bench/figures/peers.ts"
import { plugins } from "../bench/figures/plugins.ts"
import { retrieval } from "../bench/figures/retrieval.ts"
import { route } from "../bench/figures/route.ts"
import { searchTree } from "../bench/figures/search.ts"
import { tools } from "../bench/figures/tools.ts"
import { hello, pings, turnLatency, turnRate } from "../bench/figures/traffic.ts"
import { webFetch } from "../bench/figures/web-fetch.ts"
import { webhook } from "../bench/figures/webhook.ts"
import type { Bench, Figure } from "../bench/measure.ts"
import { buildExecutables } from "../bench/servers.ts"
import targets from "../bench/targets.json" with { type: "json" }

type Target = { of: "value" | "ratio"; min?: number; max?: number }
type Row = Figure & { target?: string; met?: boolean }

const benches: Bench[] = [
  version,
  size,
  firstReply,
  idleMemory,
  pings,
  turnLatency,
  turnRate,
  sockets,
  route,
  hello,
  tools,
  exec,
  searchTree,
  webFetch,
  plugins,
  webhook,
  kernel,
  micro,
  collections,
  insert,
  memoryContext,
  memoryTurns,
  conversations,
  retrieval,
]
/** What is downloaded, or takes many minutes. */
const peers: Bench[] = [openclaw, usearchGraph, hnswlibGraph, million]

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    peers: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
})

const chosen = choose(flags.only?.split(","))
const load_before = loadavg()[0] ?? 0
if (load_before > cpus().length / 2)
  console.error(`warning: the load average is ${load_before.toFixed(1)}; the figures will suffer`)

await buildExecutables()
const rows: Row[] = []
const unanswered: { name: string; reason: string }[] = []
for (const bench of chosen) {
  console.error(`${bench.name} …`)
  // One figure that this machine cannot give must not cost the others: it is named under the table.
  try {
    rows.push(...(await bench.measure({ quick: flags.quick })).map(judge))
  } catch (thrown) {
    unanswered.push({ name: bench.name, reason: thrown instanceof Error ? thrown.message : String(thrown) })
  }
}
printTable(rows)
for (const { name, reason } of unanswered) console.log(`not measured: ${name}: ${reason}`)
await writeResult()
process.exit(flags.check && (unanswered.length > 0 || rows.some(({ met }) => met === false)) ? 1 : 0)

function choose(names: string[] | undefined): Bench[] {
  const all = flags.peers ? [...benches, ...peers] : benches
  if (!names) return all
  const known = [...benches, ...peers]
  const unknown = names.filter((name) => !known.some((bench) => bench.name === name))
  if (unknown.length === 0) return known.filter(({ name }) => names.includes(name))
  console.error(
    `error: no figure "${unknown.join(", ")}"; one of ${known.map(({ name }) => name).join(", ")}`,
  )
  process.exit(2)
}

function judge(figure: Figure): Row {
  const target = (targets as Record<string, Target>)[figure.name]
  if (!target) return figure
  const { of, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = target
  const held = of === "ratio" ? (figure.ratio ?? Number.NaN) : figure.value
  const bound = target.max === undefined ? `≥ ${min}` : `≤ ${max}`
  return { ...figure, target: `${bound}${of === "ratio" ? " ×" : ""}`, met: held >= min && held <= max }
}

function printTable(rows: Row[]): void {
  const cells = rows.map(({ title, value, unit, reference, ratio, target = "", met, note = "" }) => [
    title,
    `${round(value)} ${unit}`,
    reference === undefined ? "" : `${round(reference)} ${unit}`,
    ratio === undefined ? "" : `${ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2)} ×`,
    target,
    met === undefined ? "" : met ? "met" : "MISSED",
    note,
  ])
  const head = ["figure", "value", "reference", "ratio", "target", "", "note"]
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((row) => Bun.stringWidth(row[i] ?? ""))))
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - Bun.stringWidth(cell)))
      .join("  ")
      .trimEnd()
  for (const row of [head, widths.map((width) => "-".repeat(width)), ...cells]) console.log(line(row))
}

function round(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en")
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}

async function writeResult(): Promise<void> {
  const at = new Date().toISOString()
  const commit = Bun.which("git") ? Bun.spawnSync(["git", "rev-parse", "HEAD"]).stdout.toString().trim() : ""
  const cpu = cpus()
  const machine = {
    cpu: cpu[0]?.model,
    cores: cpu.length,
    load_before,
    platform: process.platform,
    bun: Bun.version,
  }
  const path = `bench/results/${at.replaceAll(":", "-").slice(0, 19)}.json`
  mkdirSync("bench/results", { recursive: true })
  await Bun.write(
    path,
    `${JSON.stringify({ at, commit, machine, quick: flags.quick, rows, unanswered }, null, 2)}\n`,
  )
  console.log(path)
}
