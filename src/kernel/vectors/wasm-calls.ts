import type { symbols } from "../symbols.gen.ts"

type Symbols = typeof symbols
/** As they pass between the two languages: a pointer is an address in the module's memory. */
type Passed<T> = T extends "u64" ? bigint : T extends "void" ? undefined : number
type Arguments<T extends readonly string[]> = { -readonly [I in keyof T]: Passed<T[I]> }
type Call<T extends { args: readonly string[]; returns: string }> = (
  ...args: Arguments<T["args"]>
) => Passed<T["returns"]>

/** What of native/kernel.h kernel.wasm has not: it is for the system's own library, or `unhurried` in reference.ts. */
export const left_out = [
  "kernel_abi",
  "kernel_open_beneath",
  "kernel_rename_new",
  "kernel_instructions",
  "kernel_embed",
  "kernel_graph_bytes",
  "kernel_graph_init",
  "kernel_graph_check",
  "kernel_graph_copy",
] as const satisfies (keyof Symbols)[]

export type Calls = {
  [Name in Exclude<keyof Symbols, (typeof left_out)[number]>]: Call<Symbols[Name]>
}

export type Exports = Calls & { memory: WebAssembly.Memory; __heap_base: WebAssembly.Global<"i32"> }
