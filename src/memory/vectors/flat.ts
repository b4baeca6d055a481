/** A flat file that the kernel reads, or memory in its place where it cannot be written. */
import { closeSync, fstatSync, openSync, rmSync, statSync, writeSync } from "node:fs"
import type { Region, VectorKernel } from "../../kernel/vectors/kernel.ts"

export type Flat = {
  /** Whole rows from the beginning; another array after `reserve`. */
  readonly region: Region
  /** Undefined: in memory. */
  readonly path: string | undefined
  /** Room for at least as many bytes. The new ones are zero. Throws what the file system throws. */
  reserve(bytes: number): void
  /** Leaves zeros from there on. */
  cut(bytes: number): void
  /** Overwrites with zeros, on the file, too, when it returns. */
  wipe(from: number, bytes: number): void
  sync(): void
  [Symbol.dispose](): void
}

/** A small memory is small on the disk, and a large one does not hold everybody up while it grows. */
const growth_bytes_min = 64 * 1024
const growth_bytes_max = 8 * 1024 * 1024

export function allocateFlat(kernel: VectorKernel): Flat {
  const region = kernel.allocate(growth_bytes_min)
  return {
    region,
    path: undefined,
    reserve(bytes) {
      if (bytes > region.bytes.length) region.resize(grown(bytes, bytes))
    },
    cut(bytes) {
      region.bytes.fill(0, bytes)
    },
    wipe(from, bytes) {
      region.bytes.fill(0, from, from + bytes)
    },
    // Nothing is kept.
    sync() {
      return
    },
    [Symbol.dispose]: () => region[Symbol.dispose](),
  }
}

/** Makes the file where there is none. */
export function mapFlat(kernel: VectorKernel, path: string): Flat {
  extend(path, growth_bytes_min)
  const region = kernel.map(path, { shared: true })
  // Elsewhere a map is a copy, written back as a whole; what must be gone is gone at once all the same.
  const is_copy = isCopy(kernel)
  return {
    region,
    path,
    reserve(bytes) {
      if (bytes <= region.bytes.length) return
      const size = grown(bytes, is_copy ? bytes : growth_bytes_max)
      extend(path, size)
      region.resize(size)
    },
    cut(bytes) {
      region.bytes.fill(0, bytes)
    },
    wipe(from, bytes) {
      region.bytes.fill(0, from, from + bytes)
      if (is_copy) writeAt(path, from, new Uint8Array(bytes))
    },
    sync: () => region.sync(),
    [Symbol.dispose]: () => region[Symbol.dispose](),
  }
}

/** Whether what is changed in a map is not in its file before it is synced. */
export const isCopy = ({ name }: VectorKernel): boolean => name === "wasm" || name === "reference"

const grown = (bytes: number, more_max: number): number =>
  Math.ceil((bytes + Math.min(bytes / 4, more_max)) / growth_bytes_min) * growth_bytes_min

/**
 * By writing, as a hole that a full disk cannot fill ends the process when it is written to by way of a map. Answers
 * the file's size.
 */
export function extend(path: string, bytes: number): number {
  const file = openSync(path, "a", 0o600)
  try {
    let size = fstatSync(file).size
    if (size >= bytes) return size
    const zeros = new Uint8Array(Math.min(1 << 20, bytes - size))
    while (size < bytes) size += writeSync(file, zeros, 0, Math.min(zeros.length, bytes - size))
    return size
  } finally {
    closeSync(file)
  }
}

function writeAt(path: string, from: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+")
  try {
    for (let done = 0; done < bytes.length; )
      done += writeSync(file, bytes, done, bytes.length - done, from + done)
  } finally {
    closeSync(file)
  }
}

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

export const remove = (path: string): void => rmSync(path, { force: true, recursive: true })
