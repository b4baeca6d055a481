import { dlopen, type FFIFunction } from "bun:ffi"
import { readFileSync } from "node:fs"

/**
 * The C library that this process runs on, by the path it was loaded from: a bare name that the system does not know
 * would be looked for in the working directory, which is other people's.
 */
export function openLibc<T extends Record<string, FFIFunction>>(functions: T) {
  return dlopen(libcPath(), functions).symbols
}

function libcPath(): string {
  if (process.platform === "darwin") return "/usr/lib/libSystem.B.dylib"
  const loaded = readFileSync("/proc/self/maps", "utf8")
  const found = loaded.match(/\/\S*\/(libc\.so\.6|libc-[\d.]+\.so|ld-musl-[^/\s]+|libc\.musl-[^/\s]+)$/m)
  if (!found) throw new Error("the C library of this process was not found in /proc/self/maps")
  return found[0]
}

/** For a `const char *`. The text is ours: a path with a zero byte in it is refused long before. */
export const toC = (text: string): Buffer => Buffer.from(`${text}\0`)
