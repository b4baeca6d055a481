import type { Engine } from "./module.ts"

/** Why a module cannot be a plugin: a sentence for the operator that says what is wrong, where, and what to do. */
export class ModuleRefused extends Error {
  override name = "ModuleRefused"
}

export type PrepareOptions = {
  engine: Engine
  /** Unset where only `describe` will tell; then the exports of either kind will do. */
  kind?: "tool" | "channel"
  /** Of linear memory, in pages of 64 KiB; 1 to 16,384. */
  memory_pages_max: number
}

export function prepare(bytes: Uint8Array, _options: PrepareOptions): Uint8Array {
  return bytes
}
