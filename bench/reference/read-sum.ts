import { dlopen, ptr } from "bun:ffi"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Region } from "../../src/kernel/vectors/kernel.ts"

const source = join(import.meta.dir, "read-sum.c")
const library = join(import.meta.dir, "../../dist/bench/read-sum.so")

/** Compiled for this very processor; reads every byte of a region of the native kernel. */
export function openReadSum(): (region: Region) => void {
  const compiler = Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang")
  if (!compiler) throw new Error("there is no C compiler for the plain read (cc, gcc or clang)")
  mkdirSync(join(library, ".."), { recursive: true })
  // Of what Apple's compiler calls it, or of others.
  const processor = process.arch === "arm64" ? "-mcpu=native" : "-march=native"
  const command = [compiler, "-std=c11", "-O3", processor, "-shared", "-fPIC", source, "-o", library]
  const { success, stderr } = Bun.spawnSync(command, { stderr: "pipe" })
  if (!success) throw new Error(`the plain read was not compiled: ${stderr.toString().trim()}`)
  const { read_sum } = dlopen(library, { read_sum: { args: ["ptr", "u64"], returns: "u64" } }).symbols
  return ({ bytes }) => read_sum(ptr(bytes), bytes.length / 8)
}
