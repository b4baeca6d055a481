/** What computes with vectors: by the native library, by the same source as WebAssembly, or in TypeScript. */

export type KernelName = "avx512" | "avx2" | "baseline" | "neon" | "wasm" | "reference"

export const dim_max = 4096
export const queries_max = 64

/** Bytes of an int8 row. */
export const strideOf = (dim: number): number => (dim + 31) & ~31

/** 64-bit words of a row of bits, whose length is a power of two from 64 on. */
export const wordsOf = (dim: number): number => (dim <= 64 ? 1 : 2 ** Math.ceil(Math.log2(dim)) / 64)

/** Bytes of one record of `Rows`, as native/kernel.h has it. */
export const row_bytes = 24

/**
 * Memory that the kernel reads and writes: anonymous, or a mapped file. `bytes` is another array after `resize` and, for
 * WebAssembly, after any other allocation: hold the region, not its bytes.
 */
export type Region = {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Grown with zeros or cut; of a mapped file the file, too. */
  resize(bytes: number): void
  /** Writes what was changed to the disk (a shared map), or to where a map without sharing cannot (throws). */
  sync(): void
  [Symbol.dispose](): void
}

export type MapOptions = {
  /** True: changes go to the file. False: they stay in memory, and the file is what it was. */
  shared: boolean
  /** The file is made, or grown with zeros, to this many bytes; without it the file's own size. */
  bytes?: number
}

/** Row numbers and their scores, best first; `ids` and `scores` have one length. */
export type Found = { ids: Uint32Array; scores: Float32Array }

export type Filter = {
  /** Bit of each owner, low bit first. */
  owners: Uint8Array
  /** 0 for any. */
  session: number
  /** Bit of each kind. */
  kinds: number
  after_s: number
  before_s: number
}

/** A graph in a region of its own; what its rows are is said with every call. */
export type GraphShape = { capacity: number; dim: number; degree: number; breadth: number; seed: number }

/** A matrix of int8 rows with their scales, each from the beginning of its region. */
export type Bytes = { rows: Region; scales: Region; dim: number }

/**
 * The shapes and bounds are those of native/kernel.h, and are asserted here, so that the C has no error path. Vectors
 * with NaN or infinities are refused by whoever takes them in; of numbers beyond 1e17 a sum of products could be
 * infinite. All results are the same bits whoever computes them. Nothing here waits: a scan of 100,000 rows of 384 takes
 * about a millisecond.
 */
export type VectorKernel = {
  readonly name: KernelName
  allocate(bytes: number): Region
  map(path: string, options: MapOptions): Region

  quantise(rows: Float32Array, dim: number): { bytes: Int8Array; scales: Float32Array }
  /** One query. `n` rows from the beginning of the region; `allow` as `filter` makes it. */
  scanF32(query: Float32Array, rows: Region, n: number, allow: Uint8Array | undefined, k: number): Found
  /** The query is quantised first. */
  scanI8(query: Float32Array, matrix: Bytes, n: number, allow: Uint8Array | undefined, k: number): Found
  scanBits(
    query: BigUint64Array,
    rows: Region,
    n: number,
    words: number,
    allow: Uint8Array | undefined,
    k: number,
  ): Found
  /** Several queries of one length at once, which reads the rows once for all of them: 2 to 3 times as fast each. */
  scanMany(queries: Float32Array, matrix: Bytes, n: number, allow: Uint8Array | undefined, k: number): Found[]
  /** `from` are row numbers of `rows`. */
  rerank(query: Float32Array, rows: Region, from: Uint32Array, k: number): Found
  binarise(rows: Float32Array, dim: number, mean: Float32Array | undefined, seed: number): BigUint64Array

  /** Writes the bitmap over `n` records of `row_bytes` and returns how many are allowed. */
  filter(rows: Region, n: number, filter: Filter, allow: Uint8Array): number
  /** `sum` plus the hashes of `n` records from number `first` on, modulo 2^64. */
  digest(records: Uint8Array, bytes: number, first: number, sum: bigint): bigint

  /** One row of `dim` a text, one after the other. `common` is sorted. Texts are folded UTF-8. */
  embed(texts: readonly Uint8Array[], dim: number, common: Uint32Array): Float32Array

  graphBytes(capacity: number, degree: number): number
  graphInit(graph: Region, shape: GraphShape): void
  /** Undefined where it is whole; else what is wrong with it, for people. */
  graphCheck(graph: Region, dim: number): string | undefined
  graphInsert(graph: Region, matrix: Bytes, nodes: Uint32Array, keys: Uint32Array): number
  graphRemove(graph: Region, matrix: Bytes, nodes: Uint32Array): number
  graphSearch(
    graph: Region,
    matrix: Bytes,
    query: Float32Array,
    k: number,
    breadth: number,
    allow: Uint8Array | undefined,
  ): Found
  /** False where the target has not the room. */
  graphCopy(from: Region, moved: Uint32Array | undefined, to: Region): boolean
}
