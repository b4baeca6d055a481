import { AppError } from "../../base/errors.ts"
import { loadKernel } from "../library.ts"
import type { KernelName, VectorKernel } from "./kernel.ts"
import { openNativeKernel } from "./native.ts"
import { openReferenceKernel } from "./reference.ts"
import { openWasmKernel } from "./wasm.ts"

export const kernel_names = [
  "avx512",
  "avx2",
  "baseline",
  "neon",
  "wasm",
  "reference",
] as const satisfies readonly KernelName[]

/** A name of the environment's variable WEFT_KERNEL; undefined where it is not set. */
export function parseKernelName(text: string | undefined): KernelName | undefined {
  if (!text) return undefined
  const name = kernel_names.find((known) => known === text)
  if (!name) throw new AppError("invalid_config", { variable: "WEFT_KERNEL", allowed: kernel_names })
  return name
}

/**
 * The best that this machine can: the native library, else the same as WebAssembly, else TypeScript. `forced` is the one
 * to take, and an error where it is not to be had. `folder` is one of our own, for `loadKernel`.
 */
export function loadVectorKernel(forced?: KernelName, folder?: string): VectorKernel {
  const failures: string[] = []
  if (forced === undefined || (forced !== "wasm" && forced !== "reference")) {
    const { kernel, how } = loadKernel(folder)
    const opened = kernel && openNativeKernel(kernel, forced)
    if (opened) return opened
    failures.push(kernel ? "this machine's processor has not these instructions" : how)
  }
  if (forced === undefined || forced === "wasm") {
    const opened = openWasmKernel()
    if (opened) return opened
    failures.push("WebAssembly could not be started")
  }
  if (forced === undefined || forced === "reference") return openReferenceKernel()
  throw new AppError("invalid_config", {
    variable: "WEFT_KERNEL",
    kernel: forced,
    problem: failures.join("; "),
  })
}
