import { dlopen } from "bun:ffi"
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { is_embedded, kernel_path } from "./embedded.ts"
import { openMemoryFile } from "./memory-file.ts"
import { abi, symbols } from "./symbols.gen.ts"

export type Kernel = ReturnType<typeof dlopen<typeof symbols>>["symbols"]

export type LoadedKernel = {
  /** Undefined where everything has to do without it. */
  kernel: Kernel | undefined
  /** How it was loaded, or why it was not; for people. */
  how: string
}

let loaded: LoadedKernel | undefined

/**
 * The native library, loaded by the first call: a start does not pay for it. `folder` is one of our own (0700), for
 * systems where neither memory nor the temporary folder can hold a library.
 */
export function loadKernel(folder?: string): LoadedKernel {
  loaded ??= openKernel(kernel_path, is_embedded ? embedded_ways : source_ways, folder)
  return loaded
}

type Way = { name: string; find(path: string, folder: string | undefined): string | undefined }

const source_ways: Way[] = [{ name: "built from native/", find: (path) => path }]

/**
 * Memory first: Bun's own unpacking leaves a file in the temporary folder. The descriptor stays open, since the loader
 * takes a later library with the same /proc path for this one.
 */
export const embedded_ways: Way[] = [
  {
    name: "from memory",
    find(path) {
      const fd = openMemoryFile("weft-kernel", readFileSync(path))
      return fd === undefined ? undefined : `/proc/self/fd/${fd}`
    },
  },
  { name: "from the temporary folder", find: (path) => path },
  {
    name: "from the state folder",
    find(path, folder) {
      if (folder === undefined) return undefined
      const target = join(folder, "kernel.so")
      const made = `${target}.${process.pid}`
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(made, readFileSync(path), { mode: 0o700 })
      renameSync(made, target)
      return target
    },
  },
]

/** Tries each way in turn. Exported for the tests. */
export function openKernel(path: string, ways: Way[], folder?: string): LoadedKernel {
  const empty = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (empty === 0) return { kernel: undefined, how: "no native library was built for this system" }
  const failures: string[] = []
  for (const { name, find } of ways) {
    try {
      const found = find(path, folder)
      if (found === undefined) continue
      const library = dlopen(found, symbols)
      if (library.symbols.kernel_abi() === abi) return { kernel: library.symbols, how: `loaded ${name}` }
      library.close()
      failures.push(`${name}: it is of another version`)
    } catch (thrown) {
      failures.push(`${name}: ${thrown instanceof Error ? thrown.message : thrown}`)
    }
  }
  return { kernel: undefined, how: `the native library could not be loaded (${failures.join("; ")})` }
}
