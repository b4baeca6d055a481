/**
 * Modules that were damaged on purpose. FUZZ_ROUNDS sets how many, FUZZ_SEED which are the first; the seed of a failure
 * is in its message. Nothing of them is run, or compiled further than the engine's own validation.
 */
import { expect, test } from "bun:test"
import { ModuleRefused, type PrepareOptions, prepare } from "../../../src/plugins/wasm/prepare.ts"
import { adapter, program, reactor } from "../modules.ts"
import { compile } from "../toolchains.ts"
import { leb, wat } from "../wat.ts"

const rounds = Number(process.env.FUZZ_ROUNDS ?? 20_000)
const first_seed = Number(process.env.FUZZ_SEED ?? 1)
/**
 * Of processor time, of which it takes 45 at most on a quiet machine, and twice that on a busy one. What grows faster than
 * the module would take minutes. What once took longer is tried again, as the engine compiles and collects in between.
 */
const slow_ms = 400
const pages_max = 16

const as_reactor: PrepareOptions = { engine: "reactor", memory_pages_max: pages_max }
const as_program: PrepareOptions = { engine: "wasmer", memory_pages_max: pages_max }

type Random = (below: number) => number

/** Mulberry32: the same numbers for the same seed, everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const imports = `
  (import "weft" "http_fetch" (func (param i32 i32) (result i32)))
  (import "weft" "log" (func (param i32 i32)))
  (import "env" "abort" (func (param i32 i32 i32 i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))`
const extra = `
  (table $t 3 9 funcref) (table 1 externref) (global (mut i32) (i32.const 5)) (global f64 (f64.const 1))
  (data (i32.const 8) "abc") (elem (table $t) (i32.const 0) func $f) (func $f)
  (func (param i32) (result i32) (local i64 i64 v128)
    (block $b (loop $l (br_table $l $b (local.get 0))))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 9))
    (if (result i32) (local.get 0) (then (memory.grow (i32.const 1))) (else (i32.const -1))))
  (func (result v128) (i8x16.swizzle (v128.load (i32.const 0)) (v128.const i32x4 1 2 3 4)))`

const good: [Uint8Array, PrepareOptions][] = [
  [wat(reactor(extra, imports, '(memory (export "memory") 1 3)')), as_reactor],
  [wat(adapter(extra)), as_reactor],
  [wat(program(extra)), as_program],
  [
    compile(
      "assemblyscript",
      `export function weft_alloc(length: i32): usize { return heap.alloc(length) }
       export function describe(): u64 { return 0 }
       export function handle_tool_call(pointer: usize, length: i32): u64 { return length.toString().length }`,
      ["--runtime", "minimal", "-O"],
    ),
    as_reactor,
  ],
]

const sectionsOf = (bytes: Uint8Array): [number, Uint8Array][] => {
  const found: [number, Uint8Array][] = []
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++]!
    let [length, scale] = [0, 1]
    for (; bytes[at]! >= 0x80; at++, scale *= 128) length += (bytes[at]! & 0x7f) * scale
    length += bytes[at++]! * scale
    found.push([id, bytes.subarray(at, at + length)])
    at += length
  }
  return found
}

const join = (...parts: (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))))

const withSections = (bytes: Uint8Array, sections: readonly [number, Uint8Array][]): Uint8Array =>
  join(bytes.subarray(0, 8), ...sections.flatMap(([id, body]) => [[id, ...leb(body.length)], body]))

/** Numbers at which something begins or ends. */
const edges = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]

/** One way to damage bytes, and none of them minds what they are. */
const damages: ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, random) => bytes.with(random(bytes.length), random(256)),
  (bytes, random) => {
    const at = random(bytes.length)
    return bytes.with(at, bytes[at]! ^ (1 << random(8)))
  },
  (bytes, random) => bytes.slice(0, random(bytes.length)),
  (bytes, random) => {
    const [at, width] = [random(bytes.length), random(8)]
    return join(bytes.subarray(0, at), bytes.subarray(at + width))
  },
  (bytes, random) => {
    const [at, from] = [random(bytes.length), random(bytes.length)]
    return join(bytes.subarray(0, at), bytes.subarray(from, from + random(64)), bytes.subarray(at))
  },
  (bytes, random) => {
    const at = random(bytes.length)
    const number = leb(edges[random(edges.length)]!, random(2) * 5)
    return join(bytes.subarray(0, at), number, bytes.subarray(at + random(6)))
  },
]

/** Damage within sections whose lengths are right again, which gets further. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const sections = sectionsOf(bytes)
  const damage = () => damages[random(damages.length)]!
  switch (random(5)) {
    case 0:
      return damage()(bytes, random)
    case 1: {
      const [a, b] = [random(sections.length), random(sections.length)]
      ;[sections[a], sections[b]] = [sections[b]!, sections[a]!]
      return withSections(bytes, sections)
    }
    case 2: {
      const other = sectionsOf(good[random(good.length)]![0])
      sections[random(sections.length)] = other[random(other.length)]!
      return withSections(bytes, sections)
    }
    default: {
      const at = random(sections.length)
      const [id, body] = sections[at]!
      if (body.length > 0) sections[at] = [id, damage()(body, random)]
      return withSections(bytes, sections)
    }
  }
}

/** What is refused, or what is taken with all that a prepared module promises. */
function tryOut(bytes: Uint8Array, options: PrepareOptions): "refused" | "invalid" | "valid" {
  let prepared: Uint8Array<ArrayBuffer>
  try {
    prepared = prepare(bytes, options)
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ModuleRefused)
    expect((thrown as Error).message.length).toBeLessThan(1000)
    return "refused"
  }
  expect(prepare(prepared, options)).toEqual(prepared)
  if (!WebAssembly.validate(prepared)) return "invalid"
  const sections = new Map(sectionsOf(prepared))
  expect(sections.has(0)).toBe(false)
  // One memory with a maximum, in its shortest form.
  const [count, flags, ...limits] = sections.get(5)!
  expect([count, flags]).toEqual([1, 1])
  expect(limits.at(-1)).toBeLessThanOrEqual(pages_max)
  expect(limits).toHaveLength(2)
  // Every kind of import besides functions would stand here, too.
  const module = new WebAssembly.Module(prepared)
  for (const { module: from, kind } of WebAssembly.Module.imports(module)) {
    expect(kind).toBe("function")
    expect(["weft", "env", "wasi_snapshot_preview1", "wasi_unstable", "wasix_32v1"]).toContain(from)
  }
  return "valid"
}

function expectInTime(bytes: Uint8Array, options: PrepareOptions): void {
  const takes_ms = () => {
    const before = process.cpuUsage()
    refusalOf(bytes, options)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  let least_ms = takes_ms()
  for (let again = 0; again < 5 && least_ms > slow_ms; again++) least_ms = Math.min(least_ms, takes_ms())
  expect(least_ms).toBeLessThan(slow_ms)
}

function refusalOf(bytes: Uint8Array, options: PrepareOptions): ModuleRefused | undefined {
  try {
    prepare(bytes, options)
    return undefined
  } catch (thrown) {
    if (thrown instanceof ModuleRefused) return thrown
    throw thrown
  }
}

/** Names the seed of the round that fails, with which that round alone is repeated. */
function forEachRound(count: number, round: (random: Random) => void): void {
  for (let seed = first_seed; seed < first_seed + count; seed++) {
    try {
      round(randomFrom(seed))
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_ROUNDS=1`, { cause })
    }
  }
}

const long_ms = 3_600_000

test("the undamaged modules are taken", () => {
  for (const [bytes, options] of good) expect(tryOut(bytes, options)).toBe("valid")
})

test(
  "a damaged module is refused with a reason, or is all that a prepared one has to be",
  () => {
    const seen = { refused: 0, invalid: 0, valid: 0 }
    forEachRound(rounds, (random) => {
      const [original, options] = good[random(good.length)]!
      let bytes = damaged(original, random)
      for (let more = random(3); more > 0 && bytes.length > 8; more--) {
        bytes = damages[random(damages.length)]!(bytes, random)
      }
      seen[tryOut(bytes, options)]++
    })
    // The damage is neither so small that nothing is refused nor so large that nothing gets through.
    if (rounds >= 1000) for (const count of Object.values(seen)) expect(count).toBeGreaterThan(rounds / 100)
  },
  long_ms,
)

test(
  "random bytes after a module's first ones are refused, with or without the frame of sections",
  () => {
    const head = good[0]![0].subarray(0, 8)
    forEachRound(rounds / 4, (random) => {
      const noise = () => Uint8Array.from({ length: random(200) }, () => random(256))
      const sections = [1, 2, 3, 4, 5, 6, 7, 9, 12, 10, 11].map((id): [number, Uint8Array] => [id, noise()])
      expect(tryOut(join(head, noise()), as_reactor)).toBe("refused")
      expect(tryOut(withSections(head, sections), as_reactor)).toBe("refused")
    })
  },
  long_ms,
)

test(
  "four megabytes of whatever take no longer",
  () => {
    const mebibytes_4 = 4 * 1_048_576
    forEachRound(Math.max(1, rounds / 1000), (random) => {
      const [original] = good[random(3)]!
      const sections = sectionsOf(original)
      const at = random(sections.length)
      const [id, body] = sections[at]!
      const room = mebibytes_4 - original.length - 16
      // The same few bytes over and over, so that what they mean is done as often as can be.
      const pattern = Uint8Array.from({ length: 1 + random(6) }, () => (random(2) ? random(256) : random(3)))
      const filling = new Uint8Array(room).map((_, index) => pattern[index % pattern.length]!)
      const cut = random(body.length + 1)
      sections[at] = [
        id,
        join(random(2) ? leb(room) : [], body.subarray(0, cut), filling, body.subarray(cut)),
      ]
      expectInTime(withSections(original, sections), as_reactor)
    })
  },
  long_ms,
)
