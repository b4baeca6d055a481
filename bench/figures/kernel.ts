import type { Found } from "../../src/kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../../src/kernel/vectors/load.ts"
import { openReferenceKernel } from "../../src/kernel/vectors/reference.ts"
import { makeClusters } from "../data/clusters.ts"
import { k, type Loaded, loadClusters, queryOf, recallOf, scanAndRerank } from "../kernel-figures.ts"
import { type Bench, cpuMs, type Figure, median } from "../measure.ts"
import { openReadSum } from "../reference/read-sum.ts"
import { measureWasm } from "../wasm-figures.ts"

const dim = 384
const rows = 100_000
const of = `${rows.toLocaleString("en")} × ${dim}`

/** Exact searches, from TypeScript, against the memory's speed and against TypeScript. Times are the processor's. */
export const kernel: Bench = {
  name: "kernel",
  async measure({ quick }) {
    const loaded = loadClusters(loadVectorKernel(), makeClusters(rows, quick ? 50 : 200, dim))
    const rounds = quick ? 5 : 15
    return [floats(loaded, rounds), ...bytes(loaded, rounds)]
  },
}

function floats(loaded: Loaded, rounds: number): Figure {
  const native = loadVectorKernel()
  const read = openReadSum()
  const [scan_ms, read_ms] = inTurns(rounds, [
    (i) => native.scanF32(queryOf(loaded, i), loaded.floats, rows, undefined, k),
    () => read(loaded.floats),
  ])
  const [value, reference] = [toGigabytes(scan_ms!, 4), toGigabytes(read_ms!, 4)]
  const title = `exact scan of floats, ${of}, against a plain read of them in C`
  const note = `${native.name}; ${scan_ms!.toFixed(2)} ms a search`
  return { name: "scan_f32", title, unit: "GB/s", value, reference, ratio: value / reference, note }
}

function bytes(loaded: Loaded, rounds: number): Figure[] {
  const native = loadVectorKernel()
  const read = openReadSum()
  const loop = openLoop(loaded)
  const [ours_ms, read_ms, loop_ms] = inTurns(rounds, [
    (i) => scanAndRerank(native, loaded, queryOf(loaded, i)),
    () => read(loaded.matrix.rows),
    loop,
  ])
  const title = `exact scan of int8 and rerank of 20, ${of}`
  const found = Array.from({ length: loaded.query_count }, (_, i) =>
    scanAndRerank(native, loaded, queryOf(loaded, i)),
  )
  const [value, reference] = [1000 / ours_ms!, 1000 / loop_ms!]
  return [
    {
      name: "scan_i8",
      title,
      unit: "ms",
      value: ours_ms!,
      note: `reading the bytes alone takes ${read_ms!.toFixed(2)} ms (${toGigabytes(read_ms!, 1).toFixed(1)} GB/s)`,
    },
    {
      name: "scan_i8_recall",
      title: `${title}: recall of the 10 nearest`,
      unit: "",
      value: recallOf(loaded, found),
      note: `${loaded.query_count} searches`,
    },
    {
      name: "scan_i8_typescript",
      title: `${title}, against a loop in TypeScript`,
      unit: "1/s",
      value,
      reference,
      ratio: value / reference,
    },
  ]
}

const toGigabytes = (ms: number, bytes_each: number): number => (rows * dim * bytes_each) / ms / 1e6

/** Milliseconds of a call of each, of which one round has three: the median of the rounds. */
function inTurns(rounds: number, ways: ((index: number) => unknown)[]): number[] {
  const times = ways.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [way, run] of ways.entries()) {
      const before = cpuMs()
      for (let i = 0; i < 3; i++) run(i)
      times[way]!.push((cpuMs() - before) / 3)
    }
  return times.map(median)
}

/** The faster of a plain loop over the floats and the reference of the kernel over the bytes, which rounds as C does. */
function openLoop(loaded: Loaded): (index: number) => unknown {
  const floats = new Float32Array(loaded.floats.bytes.buffer, 0, rows * dim)
  const reference = openReferenceKernel()
  const regionOf = (from: Uint8Array) => {
    const region = reference.allocate(from.length)
    region.bytes.set(from)
    return region
  }
  const { rows: bytes, scales } = loaded.matrix
  const matrix = { rows: regionOf(bytes.bytes), scales: regionOf(scales.bytes), dim }
  const plain = (i: number) => nearest(queryOf(loaded, i), floats)
  const whole = (i: number) => reference.scanI8(queryOf(loaded, i), matrix, rows, undefined, 2 * k)
  const [plain_ms, whole_ms] = inTurns(3, [plain, whole])
  return plain_ms! < whole_ms! ? plain : whole
}

/** As one would write it, with four sums at once. */
function nearest(query: Float32Array, floats: Float32Array): Found {
  const ids = new Uint32Array(k)
  const scores = new Float32Array(k).fill(Number.NEGATIVE_INFINITY)
  for (let row = 0, at = 0; row < rows; row++) {
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let i = 0; i < dim; i += 4, at += 4) {
      a += query[i]! * floats[at]!
      b += query[i + 1]! * floats[at + 1]!
      c += query[i + 2]! * floats[at + 2]!
      d += query[i + 3]! * floats[at + 3]!
    }
    const score = a + b + c + d
    if (score <= scores[k - 1]!) continue
    let place = k - 1
    for (; place > 0 && scores[place - 1]! < score; place--) {
      scores[place] = scores[place - 1]!
      ids[place] = ids[place - 1]!
    }
    scores[place] = score
    ids[place] = row
  }
  return { ids, scores }
}

/** The same source as WebAssembly, cut to what a browser needs. */
export const micro: Bench = {
  name: "micro",
  async measure({ quick }) {
    const n = quick ? 5_000 : 20_000
    const { micro_bytes, kernel_bytes, scan, graph, build } = await measureWasm(n, dim)
    const title = `the microkernel, ${n.toLocaleString("en")} × ${dim}`
    const compared = (name: string, what: string, unit: string, { native, micro }: typeof scan): Figure => ({
      name: `micro_${name}`,
      title: `${title}: ${what}, against the native one`,
      unit,
      value: micro,
      reference: native,
      ratio: micro / native,
    })
    return [
      {
        name: "micro_size",
        title: "size of the microkernel (scan, graph)",
        unit: "bytes",
        value: micro_bytes,
        note: `all of the kernel as WebAssembly ${kernel_bytes.toLocaleString("en")} bytes`,
      },
      compared("scan", "int8 scan", "ms", scan),
      compared("graph", "HNSW search", "ms", graph),
      compared("build", "HNSW build", "s", build),
    ]
  },
}
