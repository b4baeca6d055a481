/** Every engine that this machine has. */
import type { VectorKernel } from "../../../src/kernel/vectors/kernel.ts"
import { openWasmKernel } from "../../../src/kernel/vectors/wasm.ts"

export const engines: { name: string; kernel: VectorKernel }[] = [{ name: "wasm", kernel: openWasmKernel() }]
