import type { symbols } from "../symbols.gen.ts"

type Symbols = typeof symbols
/** As they pass between the two languages: a pointer is an address in the module's memory. */
type Passed<T> = T extends "u64" ? bigint : T extends "void" ? undefined : number
type Arguments<T extends readonly string[]> = { -readonly [I in keyof T]: Passed<T[I]> }
type Call<T extends { args: readonly string[]; returns: string }> = (
  ...args: Arguments<T["args"]>
) => Passed<T["returns"]>

/** What kernel.wasm exports: the functions of native/kernel.h that compute. */
export type Calls = {
  [Name in Exclude<
    keyof Symbols,
    "kernel_abi" | "kernel_open_beneath" | "kernel_rename_new" | "kernel_instructions"
  >]: Call<Symbols[Name]>
}

export type Exports = Calls & { memory: WebAssembly.Memory; __heap_base: WebAssembly.Global<"i32"> }
