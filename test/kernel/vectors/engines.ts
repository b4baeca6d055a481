/** Every engine that this machine has: the library at each of its instruction sets, and the WebAssembly. */
import { assert } from "../../../src/base/errors.ts"
import { loadKernel } from "../../../src/kernel/library.ts"
import type { KernelName, VectorKernel } from "../../../src/kernel/vectors/kernel.ts"
import { openNativeKernel } from "../../../src/kernel/vectors/native.ts"
import { openWasmKernel } from "../../../src/kernel/vectors/wasm.ts"

/** `open` is to be called before each test: which instructions the library uses is one choice for all. */
export type Engine = { name: KernelName; open(): VectorKernel }

const { kernel: library } = loadKernel()

function nativeEngine(name: KernelName): Engine[] {
  const open = () => library && openNativeKernel(library, name)
  return open() ? [{ name, open: () => opened(open()) }] : []
}

function opened(kernel: VectorKernel | undefined): VectorKernel {
  assert(kernel, "an instruction set that was there still is")
  return kernel
}

const natives: KernelName[] = ["baseline", "avx2", "avx512", "neon"]

export const engines: Engine[] = [...natives.flatMap(nativeEngine), { name: "wasm", open: openWasmKernel }]
