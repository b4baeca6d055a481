import { expect, test } from "bun:test"
import { ModuleRefused, type PrepareOptions, prepare } from "../../../src/plugins/wasm/prepare.ts"
import { adapter, program, reactor } from "../modules.ts"
import { binary, leb, section, text, vector, wat } from "../wat.ts"

const as_reactor: PrepareOptions = { engine: "reactor", memory_pages_max: 256 }
const as_program: PrepareOptions = { engine: "wasmer", memory_pages_max: 256 }

function refusal(bytes: Uint8Array, options = as_reactor): string {
  try {
    prepare(bytes, options)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ModuleRefused)
    return (thrown as Error).message
  }
  throw new Error("it was taken")
}

const i32_to_i32 = [0x60, 1, 0x7f, 1, 0x7f]
const handler = [0x60, 2, 0x7f, 0x7f, 1, 0x7e]
const exported = (name: string, kind: number, index: number) => [...text(name), kind, ...leb(index)]
/** A reactor by hand, each section of which may be put in the place of a good one. */
const good = {
  type: section(1, vector([i32_to_i32, handler])),
  function: section(3, vector([[0], [1], [1]])),
  memory: section(5, [1, 0, 1]),
  export: section(
    7,
    vector([
      exported("memory", 2, 0),
      exported("weft_alloc", 0, 0),
      exported("describe", 0, 1),
      exported("handle_tool_call", 0, 2),
    ]),
  ),
  code: section(10, vector([[4, 0, 0x41, 8, 0x0b], ...Array(2).fill([4, 0, 0x42, 0, 0x0b])])),
}
const byHand = (sections: Partial<Record<keyof typeof good, number[]>> = {}) =>
  binary(...Object.values({ ...good, ...sections }))

test("a module by hand is taken, so that what makes it bad below is what is refused", () => {
  expect(WebAssembly.validate(prepare(byHand(), as_reactor))).toBe(true)
})

test.each([
  ["a tool", wat(reactor()), as_reactor],
  ["a tool whose manifest says so", wat(reactor()), { ...as_reactor, kind: "tool" }],
  ["an adapter", wat(adapter()), as_reactor],
  ["an adapter whose manifest says so", wat(adapter()), { ...as_reactor, kind: "channel" }],
  ["a program", wat(program()), as_program],
  ["one that begins by itself", wat(reactor("(func $f) (start $f)")), as_reactor],
  ["one with _initialize", wat(reactor('(func (export "_initialize"))')), as_reactor],
] as const)("%s is taken, and the engine finds it valid", (_, bytes, options) => {
  const prepared = prepare(bytes, options)
  expect(WebAssembly.validate(prepared)).toBe(true)
  expect(prepare(prepared, options)).toEqual(prepared)
})

test.each([
  "(func (result i32 i64) (i32.const 1) (i64.const 2))",
  "(table 3 funcref) (func (param i32) (result i32) (return_call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))",
  "(table $t 1 externref) (func (param externref) (result i32) (table.grow $t (local.get 0) (i32.const 1)))",
  '(data $d "abc") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $d))',
  "(func (memory.copy (i32.const 0) (i32.const 4) (i32.const 4)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 9)))",
  "(func (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0))) (func (param i32) (result i32) (i32.extend8_s (local.get 0)))",
  "(func (result v128) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i32x4 1 2 3 4) (v128.load offset=70000 (i32.const 0))))",
  "(func (param v128) (result v128) (v128.load8_lane 3 (i32.const 0) (i8x16.replace_lane 1 (local.get 0) (i32.const 2))))",
  "(func (param v128) (v128.store64_lane 1 (i32.const 0) (local.get 0)) (drop (v128.load32_zero (i32.const 0))))",
  "(func $f (param i32) (loop $l (block $b (br_table $l $b $l $b (local.get 0))))) (elem declare func $f) (func (result funcref) (ref.func $f))",
  "(global $g (mut i64) (i64.const -9223372036854775808)) (func (result f32) (f32.const 1.5)) (func (result f64) (f64.const 0x1p-1074))",
  "(func (result i32) (if (result i32) (i32.const 1) (then (memory.grow (i32.const 1))) (else (memory.size))))",
  "(global funcref (ref.null func)) (func (result i32) (ref.is_null (ref.null extern)))",
])("features that today's compilers use are taken: %s", (extra) => {
  const prepared = prepare(wat(reactor(extra)), as_reactor)
  expect(WebAssembly.validate(prepared)).toBe(true)
})

test.each([
  ["nothing", new Uint8Array(), "is not a WebAssembly module"],
  ["text", new TextEncoder().encode("(module)   "), "is not a WebAssembly module"],
  ["a cut magic", Uint8Array.of(0, 0x61, 0x73), "is not a WebAssembly module"],
  ["a component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), "is a component; build a core module"],
  ["another version", Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), "only version 1"],
  ["more than 4 MiB", new Uint8Array(4 * 1_048_576 + 1), "at most 4194304 are taken"],
  ["a cut section", byHand().subarray(0, -1), "the module ends in the middle"],
  ["a section of four gigabytes", binary([1, 0xff, 0xff, 0xff, 0xff, 0x0f]), "ends in the middle"],
  ["a length beyond 32 bits", binary([1, 0xff, 0xff, 0xff, 0xff, 0x1f]), "more than 32 bits"],
  ["a length that goes on", binary([1, 0x80, 0x80, 0x80, 0x80, 0x80, 0]), "more than 32 bits"],
  [
    "a section twice",
    byHand({ function: [...good.function, ...good.function] }),
    "the function section twice",
  ],
  ["sections out of order", binary(good.function, good.type), "the type section in the wrong place"],
  ["an unknown section", binary(section(14, [])), "not known (14)"],
  ["types without end", binary(section(1, leb(4_000_000_000))), "the type section ends in the middle"],
  [
    "30,000 types",
    binary(section(1, [...leb(30_000), ...Array(90_000).fill(0)])),
    "30000 types; at most 20000",
  ],
  [
    "a typed reference",
    byHand({ type: section(1, [1, 0x60, 1, 0x63, 0, 0]) }),
    "neither funcref nor externref",
  ],
  ["bytes after a section", byHand({ memory: section(5, [1, 0, 1, 0]) }), "bytes after its end"],
  ["functions without code", byHand({ code: [] }), "has no code"],
  [
    "fewer bodies than functions",
    byHand({ code: section(10, vector([[2, 0, 0x0b]])) }),
    "declares 3 functions",
  ],
  [
    "a body beyond its section",
    byHand({ code: section(10, [3, 90, 0]) }),
    "the code section ends in the middle",
  ],
  [
    "a body that goes on after its end",
    byHand({ code: section(10, vector(Array(3).fill([3, 0, 0x0b, 0x01]))) }),
    "goes on after its end",
  ],
  [
    "a memory that is not the first",
    byHand({ code: section(10, vector(Array(3).fill([5, 0, 0x3f, 1, 0x1a, 0x0b]))) }),
    "uses more than one memory",
  ],
  [
    "an address in a memory that is not the first",
    byHand({ code: section(10, vector(Array(3).fill([9, 0, 0x41, 0, 0x28, 0x42, 1, 0, 0x1a, 0x0b]))) }),
    "uses more than one memory",
  ],
  [
    "a billion locals",
    byHand({ code: section(10, vector(Array(3).fill([8, 1, ...leb(1_000_000_000), 0x7f, 0x0b]))) }),
    "more than 50000 local variables",
  ],
  [
    "a function that is not there",
    byHand({ export: section(7, vector([exported("f", 0, 9)])) }),
    "not there",
  ],
  [
    "an export twice",
    byHand({ export: section(7, vector([exported("a", 2, 0), exported("a", 2, 0)])) }),
    "exports a twice",
  ],
  [
    "a name that is not UTF-8",
    byHand({ export: section(7, [1, 1, 0xff, 2, 0]) }),
    "the export section has a name that is not UTF-8",
  ],
  ["a huge name", byHand({ export: section(7, vector([exported("a".repeat(2000), 2, 0)])) }), "2000 bytes"],
])("%s is refused", (_, bytes, reason) => {
  expect(refusal(bytes)).toContain(reason)
})

test.each([
  ["a table", '(import "env" "t" (table 1 funcref))', "--import-table"],
  ["memory", '(import "env" "m" (memory 1))', "--import-memory"],
  ["shared memory", '(import "env" "m" (memory 1 2 shared))', "without threads"],
  ["a global", '(import "env" "__memory_base" (global i32))', "not as a dynamic library"],
  ["a tag", '(import "env" "t" (tag (param i32)))', "without exceptions"],
  ["Extism's host", '(import "extism:host/env" "input_length" (func (result i64)))', "for WASI preview 1"],
  ["Emscripten's", '(import "env" "emscripten_resize_heap" (func (param i32) (result i32)))', "wasi-libc"],
  ["wasm-bindgen's", '(import "__wbindgen_placeholder__" "__wbindgen_throw" (func))', "without wasm-bindgen"],
  ["a component's", '(import "wasi:cli/stdin@0.2.0" "get-stdin" (func (result i32)))', "core module"],
  ["AssemblyScript's random", '(import "env" "seed" (func (result f64)))', "@assemblyscript/wasi-shim"],
  ["what nothing defines", '(import "env" "sqlite3_open" (func))', "which nothing defines"],
  ["threads", '(import "wasi" "thread-spawn" (func (param i32) (result i32)))', "without threads"],
  ["WASIX", '(import "wasix_32v1" "proc_fork" (func))', 'engine = "wasmer"'],
  ["an old WASI", '(import "wasi_unstable" "fd_close" (func (param i32) (result i32)))', 'engine = "wasmer"'],
  ["a function that Weft has not", '(import "weft" "exec" (func))', "there are http_fetch"],
  [
    "a function that WASI has not",
    '(import "wasi_snapshot_preview1" "exec" (func))',
    "not a function of WASI",
  ],
  [
    "a wrong type",
    '(import "weft" "log" (func (param i64)))',
    "as (i64) -> (), but that is (i32, i32) -> i32 or",
  ],
  [
    "a wrong type of WASI",
    '(import "wasi_snapshot_preview1" "fd_seek" (func))',
    "but that is (i32, i64, i32, i32)",
  ],
  ["an object's own names", '(import "weft" "constructor" (func))', "not a function of Weft"],
  ["an object's own module", '(import "__proto__" "toString" (func))', "which there is not"],
])("an import of %s is refused with what to do", (_, imports, reason) => {
  expect(refusal(wat(reactor("", imports)))).toContain(reason)
})

test("names that would not show themselves are escaped, and long ones cut", () => {
  const name = `\u202e\n${"x".repeat(900)}`
  const reason = refusal(byHand({ export: section(7, vector([exported(name, 9, 0)])) }))
  expect(reason).toContain('"\\u{202e}\\nxxx')
  expect(reason.length).toBeLessThan(250)
})

test.each([
  ["exceptions", "(tag $t (param i32)) (func (throw $t (i32.const 1)))", "exception tags"],
  ["a catch_all, which needs no tag", "(func (block $b (try_table (catch_all $b) (nop))))", "without them"],
  [
    "atomic operations",
    "(func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))",
    "atomic operations",
  ],
  [
    "structures",
    "(type $s (struct (field i32)))(func (drop (struct.new $s (i32.const 1))))",
    "garbage-collected",
  ],
  ["i31", "(func (drop (ref.i31 (i32.const 1))))", "typed references or garbage collection"],
  ["several memories", "(memory $b 1)", "more than one memory"],
  ["many tables", "(table 1 funcref)".repeat(17), "17 tables; at most 16"],
  ["a huge table", "(table 65537 funcref)", "may have 65536"],
  ["tables that are huge together", "(table 40000 funcref)(table 40000 externref)", "80000 entries"],
  ["a table of 64 bits", "(table i64 1 funcref)", "64-bit"],
])("%s: refused", (_, extra, reason) => {
  expect(refusal(wat(reactor(extra)))).toContain(reason)
})

test("the old form of exceptions is refused, too", () => {
  const catches = [0, 0x06, 0x40, 0x10, 0, 0x19, 0x0b, 0x42, 0, 0x0b]
  const code = section(10, vector(Array(3).fill([catches.length, ...catches])))
  expect(refusal(byHand({ code }))).toContain("handles exceptions")
})

test.each([
  ["shared", '(memory (export "memory") 1 2 shared)', "shared between threads"],
  ["of 64 bits", '(memory (export "memory") i64 1)', "64-bit addresses"],
  [
    "too large at the start",
    '(memory (export "memory") 257)',
    "starts with 257 pages of 64 KiB, but may have 256",
  ],
  ["missing", "", 'does not export its memory as "memory"'],
  ["not exported", "(memory 1)", 'does not export its memory as "memory"'],
  ["a global", '(memory 1) (global (export "memory") i32 (i32.const 0))', 'export its memory as "memory"'],
])("a memory that is %s is refused", (_, memory, reason) => {
  expect(refusal(wat(reactor("", "", memory)))).toContain(reason)
})

test("a memory whose maximum is below its beginning is refused", () => {
  expect(refusal(byHand({ memory: section(5, [1, 1, 5, 4]) }))).toContain("more than its own maximum of 4")
})

test.each([
  ["none", '(memory (export "memory") 1)', 256],
  ["a larger one", '(memory (export "memory") 1 65536)', 256],
  ["a smaller one", '(memory (export "memory") 1 7)', 7],
])("a memory with %s for its maximum grows no further than the cap", (_, memory, pages) => {
  const bytes = prepare(wat(reactor("", "", memory)), as_reactor)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  const guest = exports.memory as WebAssembly.Memory
  expect(() => guest.grow(pages)).toThrow(RangeError)
  expect(guest.grow(pages - 1)).toBe(1)
})

test("a table grows no further than its cap", () => {
  const grow = '(func (export "grow") (result i32) (table.grow $t (ref.null func) (i32.const 65536)))'
  const bytes = prepare(wat(reactor(`(table $t (export "t") 1 funcref) ${grow}`)), as_reactor)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  expect((exports.grow as () => number)()).toBe(-1)
  expect((exports.t as WebAssembly.Table).length).toBe(1)
})

test("custom sections are left out and everything else is as it was", () => {
  const name = section(0, [...text("name"), 1, 2, 3])
  const bytes = binary(name, good.type, name, good.function, good.memory, good.export, name, good.code, name)
  expect(prepare(bytes, as_reactor)).toEqual(prepare(byHand(), as_reactor))
})

test.each([
  ["weft_alloc", (name: string) => reactor().replace('"weft_alloc"', `"${name}"`), as_reactor],
  ["describe", (name: string) => reactor().replace('"describe"', `"${name}"`), as_reactor],
  ["handle_tool_call", (name: string) => reactor().replace('"handle_tool_call"', `"${name}"`), as_reactor],
  ["parse_incoming", (name: string) => adapter().replace('"parse_incoming"', `"${name}"`), as_reactor],
  ["format_outgoing", (name: string) => adapter().replace('"format_outgoing"', `"${name}"`), as_reactor],
  ["_start", (name: string) => program().replace('"_start"', `"${name}"`), as_program],
])("a module without %s is refused", (name, source, options) => {
  expect(refusal(wat(source("other")), options)).toMatch(
    new RegExp(`does not export ${name}|exports neither`),
  )
})

test.each([
  ["a tool", reactor(), "channel", "does not export parse_incoming"],
  ["an adapter", adapter(), "tool", "does not export handle_tool_call"],
  ["neither", reactor().replace("handle_tool_call", "x"), undefined, "exports neither handle_tool_call"],
] as const)("%s is not taken for what its manifest says otherwise", (_, source, kind, reason) => {
  expect(refusal(wat(source), { ...as_reactor, ...(kind && { kind }) })).toContain(reason)
})

test.each([
  ["(param i64) (result i32) (i32.const 8)", "weft_alloc is (i64) -> i32, but has to be (i32) -> i32"],
  ["(result i32) (i32.const 8)", "weft_alloc is () -> i32, but has to be (i32) -> i32"],
])("an export of another type is refused", (type, reason) => {
  const source = reactor().replace("(param i32) (result i32) (i32.const 8)", type)
  expect(refusal(wat(source))).toContain(reason)
})

test("a program is not taken for a reactor, nor a reactor for a program", () => {
  expect(refusal(wat(program()))).toContain('take engine = "wasmer" for it')
  expect(refusal(wat(reactor()), as_program)).toContain('engine = "reactor"')
  expect(refusal(wat(reactor('(func (export "_start"))')))).toContain("--exportStart _initialize")
  const log = '(import "weft" "log" (func (param i32 i32)))'
  expect(refusal(wat(program("", log)), as_program)).toContain('take engine = "reactor"')
})

test("WASIX is taken for a program, without a look at what each function is", () => {
  const imports = '(import "wasix_32v1" "proc_id" (func (param i32 i32) (result i32)))'
  expect(WebAssembly.validate(prepare(wat(program("", imports)), as_program))).toBe(true)
})

test.each([
  "proc_exec",
  "proc_exec4",
  "proc_spawn2",
  "proc_fork_env",
  "thread_spawn_v2",
  "dlopen",
  "dlsym",
  "dl_invalid_handle",
  "call_dynamic",
  "closure_allocate",
  "reflect_signature",
])("WASIX's %s is refused: it would run what nobody has gone over", (name) => {
  const imports = `(import "wasix_32v1" "${name}" (func (param i32) (result i32)))`
  expect(refusal(wat(program("", imports)), as_program)).toContain("no program gets")
})

test.each(["napi", "napi_extension_wasmer_v0", "wasi", "wasix_64v1", "wasmer"])(
  "a program gets nothing of %s",
  (from) => {
    const imports = `(import "${from}" "napi_run_script" (func (param i32) (result i32)))`
    expect(refusal(wat(program("", imports)), as_program)).toContain("it imports")
  },
)

test("four megabytes of instructions take less than a blink", () => {
  const code = [0, ...Array(4_000_000).fill(0x01), 0x42, 0, 0x0b]
  const small = [0, 0x41, 8, 0x0b]
  const bodies = [small, code, [0, 0x42, 0, 0x0b]].map((body) =>
    Uint8Array.from([...leb(body.length), ...body]),
  )
  const size = bodies.reduce((sum, { length }) => sum + length, 1)
  const head = binary(good.type, good.function, good.memory, good.export, [10, ...leb(size), 3])
  const bytes = new Uint8Array(Buffer.concat([head, ...bodies]))
  const started = performance.now()
  const prepared = prepare(bytes, as_reactor)
  // It takes 15 ms here; a machine that is busy takes longer, and what is not linear takes minutes.
  expect(performance.now() - started).toBeLessThan(3_000)
  expect(prepared.length).toBeGreaterThan(4_000_000)
})

test("custom sections without end are refused", () => {
  const customs = (count: number) => Array(count).fill(section(0, text("x")))
  expect(WebAssembly.validate(prepare(binary(...customs(1000), ...Object.values(good)), as_reactor))).toBe(
    true,
  )
  expect(refusal(binary(...customs(1001), ...Object.values(good)))).toBe(
    "it has more than 1000 custom sections; strip it",
  )
})

test("a module of nothing but long types takes no more than a few times its size", () => {
  const long = [0x60, ...leb(1000), ...Array(1000).fill(0x7f), 0]
  const bytes = binary(section(1, vector(Array(4000).fill(long))))
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  expect(refusal(bytes)).toContain("memory")
  expect((process.memoryUsage.rss() - before) / bytes.length).toBeLessThan(8)
})
