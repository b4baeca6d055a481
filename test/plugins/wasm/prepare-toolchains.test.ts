/** What today's compilers make is taken. */
import { expect, test } from "bun:test"
import { prepare } from "../../../src/plugins/wasm/prepare.ts"
import { needs } from "../../needs.ts"
import { compile } from "../toolchains.ts"

const assembly_script = `
export function weft_alloc(length: i32): usize { return heap.alloc(length) }
export function describe(): u64 { return 0 }
export function handle_tool_call(pointer: usize, length: i32): u64 {
  const seen = new Map<string, i32>()
  seen.set(length.toString(), length)
  if (length < 0) throw new Error("no")
  return ((<u64>pointer) << 32) | seen.size
}`

const assembly_script_wasi = `${assembly_script}
export function more(): void { console.log(Math.random().toString() + Date.now().toString()) }`

const c = `
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#define EXPORT(name) __attribute__((export_name(#name)))
typedef unsigned long long u64;
__attribute__((import_module("weft"), import_name("log"))) int weft_log(const char *text, int length);
EXPORT(weft_alloc) void *weft_alloc(int length) { return malloc(length); }
EXPORT(describe) u64 describe(char *input, int length) { weft_log("{}", 2); return 0; }
EXPORT(handle_tool_call) u64 handle_tool_call(char *input, int length) {
  float sums[64];
  for (int i = 0; i < 64; i++) sums[i] = input[i] * 2.5f;
  FILE *file = fopen("/data/x", "r");
  if (file) fclose(file);
  printf("%lld %f %s", (long long)time(0), sums[length & 63], getenv("LANG"));
  return ((u64)(unsigned)input << 32) | (unsigned)length;
}`

const c_program = `
#include <stdio.h>
int main(int count, char **words) {
  char line[100];
  return !(fgets(line, sizeof line, stdin) && printf("%s %s", words[0], line) > 0);
}`

const rust = `
use std::collections::HashMap;
#[link(wasm_import_module = "weft")] extern "C" { fn log(text: *const u8, length: i32) -> i32; }
#[no_mangle] pub extern "C" fn weft_alloc(length: i32) -> *mut u8 {
  Vec::<u8>::with_capacity(length as usize).leak().as_mut_ptr()
}
#[no_mangle] pub extern "C" fn describe(_: i32, _: i32) -> i64 { unsafe { log(std::ptr::null(), 0) }; 0 }
#[no_mangle] pub extern "C" fn handle_tool_call(_: i32, _: i32) -> i64 {
  let variables: HashMap<String, String> = std::env::vars().collect();
  println!("{:?} {:?}", variables, std::fs::read_to_string("/data/x"));
  0
}`

const rust_program = `
fn main() {
  let mut line = String::new();
  std::io::stdin().read_line(&mut line).unwrap();
  println!("{line} {:?}", std::env::args());
}`

const shim = "./node_modules/@assemblyscript/wasi-shim"
const slow_ms = 60_000

function expectTaken(bytes: Uint8Array, engine: "reactor" | "wasmer"): void {
  const options = { engine, memory_pages_max: 256 } as const
  const prepared = prepare(bytes, options)
  expect(WebAssembly.validate(prepared)).toBe(true)
  expect(prepare(prepared, options)).toEqual(prepared)
  // What is added is the maximum of the memory and of a table.
  expect(prepared.length).toBeLessThan(bytes.length + 16)
}

test.each([
  ["the smallest runtime", assembly_script, ["--runtime", "stub", "-O"]],
  [
    "garbage collection of its own",
    assembly_script,
    ["--runtime", "incremental", "--exportStart", "_initialize"],
  ],
  ["debug names", assembly_script, ["--debug"]],
  ["WASI", assembly_script_wasi, ["--config", `${shim}/asconfig.json`, "--exportStart", "_initialize"]],
])(
  "AssemblyScript with %s",
  (_, source, flags) => expectTaken(compile("assemblyscript", source, flags), "reactor"),
  slow_ms,
)

const in_c = needs({ wasi: "c" })
const as_reactor = "-mexec-model=reactor"

in_c(
  "a reactor in C, small, fast and with the features of today",
  () => {
    const features =
      "-msimd128 -mbulk-memory -mtail-call -mmultivalue -mreference-types -mnontrapping-fptoint"
    for (const flags of [
      ["-Oz", "-Wl,--strip-all"],
      ["-O0", "-g"],
      ["-O3", ...features.split(" ")],
    ]) {
      expectTaken(compile("c", c, [as_reactor, ...flags]), "reactor")
    }
  },
  slow_ms,
)

in_c("a program in C", () => expectTaken(compile("c", c_program, ["-O2"]), "wasmer"), slow_ms)

const in_rust = needs({ wasi: "rust" })

in_rust(
  "a library in Rust, small and with what a debugger wants",
  () => {
    for (const flags of [["-Copt-level=z", "-Clto", "-Cstrip=symbols"], ["-g"]]) {
      expectTaken(compile("rust", rust, ["--crate-type=cdylib", ...flags]), "reactor")
    }
  },
  slow_ms,
)

in_rust("a program in Rust", () => expectTaken(compile("rust", rust_program, ["-O"]), "wasmer"), slow_ms)
