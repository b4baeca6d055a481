/** The linear memory of the module, given out in blocks. Addresses never move; views of it do when it grows. */
import { AppError } from "../../base/errors.ts"

export type Heap = {
  readonly memory: WebAssembly.Memory
  /** The address of a block of that many bytes, a multiple of 64, of any content. */
  take(bytes: number): number
  give(address: number, bytes: number): void
}

const page_bytes = 65_536
export const memory_bytes_max = 65_536 * page_bytes
/** A line of the processor's cache. */
const alignment = 64

type Block = { at: number; bytes: number }

const wholeLines = (bytes: number): number => Math.max(1, Math.ceil(bytes / alignment)) * alignment

/** `base` is the first address that the module does not use itself. */
export function openHeap(memory: WebAssembly.Memory, base: number): Heap {
  let end = wholeLines(base)
  /** By their addresses, never two that touch. */
  let free: Block[] = []
  return {
    memory,
    take(bytes) {
      const wanted = wholeLines(bytes)
      const index = free.findIndex((block) => block.bytes >= wanted)
      if (index !== -1) {
        const { at, bytes: had } = free[index]!
        if (had === wanted) free.splice(index, 1)
        else free[index] = { at: at + wanted, bytes: had - wanted }
        return at
      }
      const at = end
      growTo(memory, at + wanted)
      end = at + wanted
      return at
    },
    give(at, bytes) {
      free = joined(free, { at, bytes: wholeLines(bytes) })
      const last = free.at(-1)
      if (last && last.at + last.bytes === end) {
        end = last.at
        free.pop()
      }
    },
  }
}

function joined(free: Block[], block: Block): Block[] {
  const index = free.findIndex(({ at }) => at > block.at)
  const all = index === -1 ? [...free, block] : free.toSpliced(index, 0, block)
  const merged: Block[] = []
  for (const { at, bytes } of all) {
    const last = merged.at(-1)
    if (last && last.at + last.bytes === at) last.bytes += bytes
    else merged.push({ at, bytes })
  }
  return merged
}

function growTo(memory: WebAssembly.Memory, end: number): void {
  const missing = end - memory.buffer.byteLength
  if (missing <= 0) return
  // A memory of 4 GiB whose last byte is used would have an end that no pointer can be compared with.
  if (end > memory_bytes_max - page_bytes)
    throw new AppError("too_large", {
      what: "vectors without the native library",
      bytes_max: memory_bytes_max,
    })
  memory.grow(Math.ceil(missing / page_bytes))
}
