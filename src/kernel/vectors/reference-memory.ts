/** Regions without a kernel: arrays, and files that are read whole and written back. */
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs"
import { assert } from "../../base/errors.ts"
import type { MapOptions, Region } from "./kernel.ts"

export function allocateArray(bytes: number): Region {
  let held = new Uint8Array(bytes)
  return {
    get bytes() {
      return held
    },
    resize(size) {
      held = resized(held, size)
    },
    sync() {
      assert(false, "only a shared map can be written")
    },
    [Symbol.dispose]() {
      held = new Uint8Array(0)
    },
  }
}

/**
 * A shared map is written to its file by `sync`, `resize` and when it is given back: nobody else sees a change before
 * that, unlike with a map of the system's.
 */
export function readIntoArray(path: string, options: MapOptions): Region {
  const region = allocateArray(sizeOfMap(path, options))
  readFileInto(path, region.bytes)
  if (!options.shared) return region
  return {
    get bytes() {
      return region.bytes
    },
    resize(size) {
      region.resize(size)
      writeBack(path, region.bytes)
    },
    sync() {
      writeBack(path, region.bytes)
    },
    [Symbol.dispose]() {
      if (region.bytes.length > 0) writeBack(path, region.bytes)
      region[Symbol.dispose]()
    },
  }
}

/** The bytes that a map of this file has; makes the file or lets it grow where that is asked for. */
export function sizeOfMap(path: string, { shared, bytes }: MapOptions): number {
  const found = statSync(path, { throwIfNoEntry: bytes === undefined })
  const size = found && Number(found.size)
  if (bytes === undefined || (size !== undefined && size >= bytes)) return size!
  if (shared) {
    const file = openSync(path, "a", 0o600)
    ftruncateSync(file, bytes)
    closeSync(file)
  }
  return bytes
}

/** What the file has not stays as it is. */
export function readFileInto(path: string, bytes: Uint8Array): void {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return
  const file = openSync(path, "r")
  try {
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30), at)
      if (count === 0) break
      at += count
    }
  } finally {
    closeSync(file)
  }
}

/** Into the same file and on the disk when it returns. */
export function writeBack(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "r+")
  try {
    ftruncateSync(file, bytes.length)
    for (let at = 0; at < bytes.length; )
      at += writeSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30), at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function resized(held: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(size)
  grown.set(held.subarray(0, size))
  return grown
}
