/** What one call needs in the module's memory beside regions: its arrays are copied in, and its results out. */
import type { Found } from "./kernel.ts"
import type { Heap } from "./wasm-memory.ts"

type Input = Float32Array | Uint32Array | Uint8Array | BigUint64Array | Int8Array
type Output<T> = { at: number; read(): T }

export type Frame = {
  floats(count: number): Output<Float32Array<ArrayBuffer>>
  words(count: number): Output<Uint32Array<ArrayBuffer>>
  bytes(count: number): Output<Uint8Array<ArrayBuffer>>
  /** Results of `queries` queries, of which each has as many as `run` says. */
  found(k: number, queries: number, run: (ids: number, scores: number) => number): Found[]
}

/** `inputs` become addresses, 0 for what is not there; all is given back when `run` returns. */
export function inFrame<T>(
  heap: Heap,
  inputs: readonly (Input | undefined)[],
  run: (frame: Frame, at: number[]) => T,
): T {
  const taken: { at: number; bytes: number }[] = []
  const take = (bytes: number) => {
    const at = heap.take(bytes)
    taken.push({ at, bytes })
    return at
  }
  try {
    return run(frameOf(heap.memory, take), place(heap.memory, inputs, take))
  } finally {
    for (const { at, bytes } of taken.reverse()) heap.give(at, bytes)
  }
}

/** What lies in the memory already stays where it is; its address is taken before the memory grows and detaches it. */
function place(
  memory: WebAssembly.Memory,
  inputs: readonly (Input | undefined)[],
  take: (bytes: number) => number,
): number[] {
  const there = inputs.map((input) => (input?.buffer === memory.buffer ? input.byteOffset : undefined))
  return inputs.map((input, index) => {
    if (input === undefined) return 0
    if (there[index] !== undefined) return there[index]
    const at = take(input.byteLength)
    const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes)
    return at
  })
}

function frameOf(memory: WebAssembly.Memory, take: (bytes: number) => number): Frame {
  const output = <T>(bytes: number, view: (buffer: ArrayBuffer, at: number) => T) => {
    const at = take(bytes)
    return { at, read: () => view(memory.buffer, at) }
  }
  const frame: Frame = {
    floats: (count) => output(count * 4, (buffer, at) => new Float32Array(buffer, at, count).slice()),
    words: (count) => output(count * 4, (buffer, at) => new Uint32Array(buffer, at, count).slice()),
    bytes: (count) => output(count, (buffer, at) => new Uint8Array(buffer, at, count).slice()),
    found(k, queries, run) {
      const ids = take(queries * k * 4)
      const scores = take(queries * k * 4)
      const count = run(ids, scores)
      const row = (query: number, from: number) => [memory.buffer, from + query * k * 4, count] as const
      return Array.from({ length: queries }, (_, query) => ({
        ids: new Uint32Array(...row(query, ids)).slice(),
        scores: new Float32Array(...row(query, scores)).slice(),
      }))
    },
  }
  return frame
}
