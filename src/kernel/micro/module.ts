/** The microkernel's module and where things lie in its memory. Nothing here is of Bun, Node or a browser alone. */
import { micro_base64 } from "./micro.gen.ts"

/** Pointers are addresses in `memory`; what they do is in native/kernel.h. */
export type Micro = {
  memory: WebAssembly.Memory
  __heap_base: WebAssembly.Global<"i32">
  kernel_quantise(rows: number, n: number, dim: number, bytes: number, scales: number): void
  kernel_scan_i8(
    query: number,
    query_scales: number,
    queries: number,
    rows: number,
    scales: number,
    n: number,
    dim: number,
    allow: number,
    k: number,
    ids: number,
    scores: number,
  ): number
  kernel_graph_bytes(capacity: number, degree: number): bigint
  kernel_graph_init(
    graph: number,
    capacity: number,
    dim: number,
    degree: number,
    breadth: number,
    seed: number,
  ): void
  kernel_graph_check(graph: number, bytes: bigint, dim: number): number
  kernel_graph_insert(
    graph: number,
    rows: number,
    scales: number,
    nodes: number,
    keys: number,
    n: number,
    scratch: number,
  ): number
  kernel_graph_search(
    graph: number,
    rows: number,
    scales: number,
    query: number,
    query_scale: number,
    k: number,
    breadth: number,
    allow: number,
    ids: number,
    scores: number,
    scratch: number,
  ): number
  kernel_scratch_bytes(capacity: number, dim: number, breadth_max: number): bigint
}

/** How many nodes are linked by one call. */
export const batch = 256
export const results_max = 4096

export type Shape = { dim: number; capacity: number; degree: number; breadth: number }

/** Addresses; what lies at each is as long as `capacity` and `dim` ask for. */
export type Layout = {
  stride: number
  rows: number
  scales: number
  allow: number
  vector: number
  query: number
  query_scale: number
  ids: number
  scores: number
  nodes: number
  keys: number
  graph: number
  graph_bytes: number
  scratch: number
}

export async function openModule(): Promise<Micro> {
  const bytes = Uint8Array.from(atob(micro_base64), (letter) => letter.charCodeAt(0))
  const { instance } = await WebAssembly.instantiate(bytes)
  return instance.exports as Micro
}

/** Makes room for all of an index, all at once: an address stays what it is, and so does the memory's buffer. */
export function layOut(micro: Micro, { dim, capacity, degree }: Shape): Layout {
  let end = micro.__heap_base.value
  const take = (bytes: number) => {
    const at = Math.ceil(end / 64) * 64
    end = at + bytes
    return at
  }
  const stride = (dim + 31) & ~31
  const graph_bytes = Number(micro.kernel_graph_bytes(capacity, degree))
  const layout: Layout = {
    stride,
    rows: take(capacity * stride),
    scales: take(capacity * 4),
    allow: take(bitmapBytes(capacity)),
    vector: take(dim * 4),
    query: take(stride),
    query_scale: take(4),
    ids: take(results_max * 4),
    scores: take(results_max * 4),
    nodes: take(batch * 4),
    keys: take(batch * 4),
    graph: take(graph_bytes),
    graph_bytes,
    scratch: take(Number(micro.kernel_scratch_bytes(capacity, dim, results_max))),
  }
  const pages = Math.ceil(end / 65_536)
  if (pages > 65_535) throw new RangeError("An index takes 4 GiB at most: fewer vectors, or shorter ones.")
  const missing = pages - micro.memory.buffer.byteLength / 65_536
  if (missing > 0) micro.memory.grow(missing)
  return layout
}

/** Whole words of 64 bits. */
export const bitmapBytes = (rows: number): number => Math.ceil(rows / 64) * 8
