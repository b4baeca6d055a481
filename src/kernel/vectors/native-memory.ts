/** Regions of the native library: buffers that do not move, and maps of files. */
import { type Pointer, ptr } from "bun:ffi"
import { closeSync, fsyncSync, ftruncateSync, openSync, statSync } from "node:fs"
import { AppError, assert } from "../../base/errors.ts"
import type { MapOptions, Region } from "./kernel.ts"
import { readFileInto, sizeOfMap } from "./reference-memory.ts"

/** JavaScriptCore has no longer buffer, and refuses a longer map as "out of memory". */
export const region_bytes_max = 2 ** 32 - 1

type Bytes = Uint8Array<ArrayBuffer>

const addresses = new WeakMap<Region, Pointer | null>()

/** Of the region's first byte; null of an empty one. It is another after `resize`. */
export function addressOf(region: Region): Pointer | null {
  const address = addresses.get(region)
  assert(address !== undefined, "a region is of the kernel that computes with it, and not given back")
  return address
}

export function allocate(bytes: number): Region {
  return openRegion(newBytes(bytes), in_memory)
}

/**
 * A file that somebody else cuts while it is mapped ends the process when what is gone is read: it must be in a folder
 * of our own. The system unmaps when the last array over it is collected.
 */
export function mapFile(path: string, options: MapOptions): Region {
  checkSize(options.bytes ?? 0)
  const file_bytes = sizeOfMap(path, options)
  checkSize(file_bytes)
  if (!options.shared) return mapPrivate(path, file_bytes)
  return openRegion(mapped(path, true), {
    resize: (_, size) => {
      checkSize(size)
      withFile(path, (file) => ftruncateSync(file, size))
      return mapped(path, true)
    },
    // On Linux this writes what was changed by way of a map, too.
    sync: () => withFile(path, fsyncSync),
  })
}

/** Copied when it is written to, page by page; as a whole where it is to be longer than its file. */
function mapPrivate(path: string, bytes: number): Region {
  const longer = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) < bytes
  if (!longer) return openRegion(mapped(path, false), in_memory)
  const region = allocate(bytes)
  readFileInto(path, region.bytes)
  return region
}

type Means = { resize(held: Bytes, size: number): Bytes; sync(): void }

const in_memory: Means = {
  resize: (held, size) => {
    const grown = newBytes(size)
    grown.set(held.subarray(0, size))
    return grown
  },
  sync: () => assert(false, "only a shared map can be written"),
}

function openRegion(first: Bytes, { resize, sync }: Means): Region {
  let held = first
  const hold = (bytes: Bytes) => {
    held = bytes
    addresses.set(region, bytes.length > 0 ? ptr(bytes) : null)
  }
  const region: Region = {
    get bytes() {
      return held
    },
    resize(size) {
      if (size !== held.length) hold(resize(held, size))
    },
    sync,
    [Symbol.dispose]() {
      addresses.delete(region)
      held = new Uint8Array(0)
    },
  }
  hold(first)
  return region
}

/**
 * An array over a buffer that was made before it keeps its place. That of `new Uint8Array(n)` may move when its `buffer`
 * is asked for, and a pointer to it goes stale.
 */
function newBytes(bytes: number): Bytes {
  checkSize(bytes)
  return new Uint8Array(new ArrayBuffer(bytes))
}

function checkSize(bytes: number): void {
  assert(Number.isInteger(bytes) && bytes >= 0, "a region has a count of bytes")
  if (bytes > region_bytes_max)
    throw new AppError("too_large", { what: "a region of vectors", bytes_max: region_bytes_max })
}

/** An empty file cannot be mapped. */
const mapped = (path: string, shared: boolean): Bytes =>
  statSync(path).size === 0 ? newBytes(0) : Bun.mmap(path, { shared })

function withFile(path: string, run: (file: number) => void): void {
  const file = openSync(path, "r+")
  try {
    run(file)
  } finally {
    closeSync(file)
  }
}
