import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { makeClusters } from "../data/clusters.ts"
import { buildGraph, k, type Loaded, loadClusters, queryOf } from "../kernel-figures.ts"
import { type Bench, cpuMs, type Figure, median } from "../measure.ts"
import { hnswlib, type PeerGraph, usearch } from "../peers/hnsw.ts"
import { makeHome } from "../servers.ts"

const dim = 384
/** How far a search looks, from the least to more than any of them needs. */
const breadths = [
  10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 400, 512,
]
const recalls = [0.95, 0.99]

type Search = (query: number) => ArrayLike<number | bigint>
type Engine = { build_s: number; open(breadth: number): Search }
type Step = { breadth: number; recall: number; search: Search; per_second: number }

export const usearchGraph: Bench = {
  name: "usearch",
  measure: ({ quick }) => beside("usearch", quick, usearch),
}

export const hnswlibGraph: Bench = {
  name: "hnswlib",
  measure: ({ quick }) => beside("hnswlib", quick, hnswlib),
}

/** Both have the same rows, links and breadth of building; the time is of the processor, as others are at work, too. */
async function beside(
  name: string,
  quick: boolean,
  openPeer: (folder: string) => Promise<PeerGraph>,
): Promise<Figure[]> {
  using home = makeHome()
  const peer = await openPeer(home.path)
  const rows = quick ? 20_000 : 100_000
  const clusters = makeClusters(rows, 1000, dim)
  const loaded = loadClusters(loadVectorKernel(), clusters)
  const theirs = buildTheirs(peer, loaded)
  const ours = buildOurs(loaded)
  const steps = [sweep(ours, loaded), sweep(theirs, loaded)] as const
  time(steps.flat(), loaded, quick ? 3 : 7)
  const of = `${rows.toLocaleString("en")} × ${dim}`
  const searches = recalls.map((recall): Figure => {
    const [value, reference] = steps.map((list) => queriesAt(list, recall)) as [number, number]
    const percent = Math.round(100 * recall)
    const title = `HNSW, ${of}: searches at a recall of .${percent}, against ${name}`
    const note = `breadth ${steps.map((list) => breadthAt(list, recall)).join(" and ")}`
    return {
      name: `${name}_${percent}`,
      title,
      unit: "1/s",
      value,
      reference,
      ratio: value / reference,
      note,
    }
  })
  const title = `HNSW, ${of}: building, against ${name}`
  const [value, reference] = [ours.build_s, theirs.build_s]
  return [
    ...searches,
    { name: `${name}_build`, title, unit: "s", value, reference, ratio: value / reference },
  ]
}

function buildTheirs(peer: PeerGraph, loaded: Loaded): Engine {
  const build_s = peer.build(loaded.rows, dim, cpuMs)
  const queries = Array.from({ length: loaded.query_count }, (_, i) => peer.prepare(queryOf(loaded, i)))
  return {
    build_s,
    open(breadth) {
      const ask = peer.open(breadth, k)
      return (query) => ask(queries[query])
    },
  }
}

/** By int8 in the graph, then by the floats. */
function buildOurs(loaded: Loaded): Engine {
  const kernel = loadVectorKernel()
  const { graph, build_s } = buildGraph(kernel, loaded)
  const queries = Array.from({ length: loaded.query_count }, (_, i) => queryOf(loaded, i))
  return {
    build_s,
    open: (breadth) => (index) => {
      const query = queries[index]!
      const near = kernel.graphSearch(
        graph,
        loaded.matrix,
        query,
        Math.min(2 * k, breadth),
        breadth,
        undefined,
      )
      return kernel.rerank(query, loaded.floats, near.ids, k).ids
    },
  }
}

/** The steps around each of the recalls. */
function sweep(engine: Engine, loaded: Loaded): Step[] {
  const steps: Step[] = []
  for (const breadth of breadths) {
    const search = engine.open(breadth)
    steps.push({ breadth, recall: recallOf(search, loaded), search, per_second: Number.NaN })
    if (steps.at(-1)!.recall > recalls.at(-1)!) break
  }
  const needed = recalls.flatMap((recall) => {
    const above = steps.findIndex((step) => step.recall >= recall)
    if (above === -1) throw new Error(`a recall of ${recall} is not reached`)
    return [above - 1, above]
  })
  return steps.filter((_, i) => needed.includes(i))
}

function recallOf(search: Search, { truth, query_count }: Loaded): number {
  let hits = 0
  for (let query = 0; query < query_count; query++) {
    const found = new Set(Array.from(search(query), Number))
    for (const id of truth[query]!.ids) if (found.has(id)) hits++
  }
  return hits / (query_count * k)
}

/** All in turns, so that a noisy moment of the machine falls on all. */
function time(steps: Step[], { query_count }: Loaded, rounds: number): void {
  const times = steps.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, { search }] of steps.entries()) {
      const before = cpuMs()
      for (let query = 0; query < query_count; query++) search(query)
      times[i]!.push(cpuMs() - before)
    }
  for (const [i, step] of steps.entries()) step.per_second = (1000 * query_count) / median(times[i]!)
}

/** Between the steps that are around it. */
function queriesAt(steps: Step[], recall: number): number {
  const above = steps.findIndex((step) => step.recall >= recall)
  const [from, to] = [steps[above - 1], steps[above]!]
  if (!from) return to.per_second
  const share = (recall - from.recall) / (to.recall - from.recall)
  return from.per_second + share * (to.per_second - from.per_second)
}

const breadthAt = (steps: Step[], recall: number): number =>
  steps.find((step) => step.recall >= recall)!.breadth
