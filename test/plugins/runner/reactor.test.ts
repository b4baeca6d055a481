import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { host_errors, type Kind } from "../../../src/plugins/frames.ts"
import { wat } from "../wat.ts"
import { type HostFunction, startRunner } from "./runner.ts"

/** A module with the host's functions, an allocator at 1024, and these parts. `$out` packs an address and a length. */
const guest = (parts: string, { alloc = "(i32.const 1024)", memory = "1 256" } = {}) =>
  wat(`(module
    (import "weft" "store_get" (func $get (param i32 i32) (result i32)))
    (import "weft" "http_fetch" (func $fetch (param i32 i32) (result i32)))
    (import "weft" "log" (func $log (param i32 i32)))
    (import "weft" "take_result" (func $take (param i32)))
    (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
    (memory (export "memory") ${memory})
    (func (export "weft_alloc") (param i32) (result i32) ${alloc})
    (func $out (param i32 i32) (result i64)
      (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))
    ${parts})`)

/** An export with the input's address and length as $at and $length. */
const run = (body: string, name = "run") =>
  `(func (export "${name}") (param $at i32) (param $length i32) (result i64) ${body})`
const text = (at: number, value: string) => `(data (i32.const ${at}) "${value}")`
const echo = run("(call $out (local.get $at) (local.get $length))", "echo")

const said = (output: string) => ({ output, stdout: "", stderr: "", raw: expect.anything() })

test("an export is given its input and its output comes back, whatever the bytes", async () => {
  await using runner = await startRunner(guest(echo, { alloc: "(i32.const 4096)", memory: "17 256" }))
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 2000, unit: "binary" }), async (input) => {
      expect(await runner.call("echo", input)).toEqual(said(Buffer.from(input).toString()))
    }),
  )
  const large = "x".repeat(1 << 20)
  expect(await runner.call("echo", large)).toEqual(said(large))
})

test("an export without parameters is given none", async () => {
  const describe = `(func (export "describe") (result i64) (call $out (i32.const 8) (i32.const 2))) ${text(8, "{}")}`
  await using runner = await startRunner(guest(describe, { alloc: "unreachable" }))
  expect(await runner.call("describe", "not looked at")).toEqual(said("{}"))
})

test("_initialize runs before the export, anew for each call, and nothing survives one", async () => {
  const module = guest(`
    (global $count (mut i32) (i32.const 0)) (table $kept 1 funcref) (elem declare func $start)
    (func $start (export "_initialize")
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (i32.store8 (i32.const 8) (i32.add (i32.load8_u (i32.const 8)) (i32.const 1))))
    ${run(`
      (i32.store8 (i32.const 0) (i32.add (i32.const 48) (global.get $count)))
      (i32.store8 (i32.const 1) (i32.add (i32.const 48) (i32.load8_u (i32.const 8))))
      (i32.store8 (i32.const 2) (i32.add (i32.const 48) (memory.size)))
      (i32.store8 (i32.const 3) (i32.add (i32.const 48) (i32.eqz (ref.is_null (table.get $kept (i32.const 0))))))
      (table.set $kept (i32.const 0) (ref.func $start))
      (drop (memory.grow (i32.const 3)))
      (global.set $count (i32.const 7)) (i32.store8 (i32.const 8) (i32.const 7))
      (call $out (i32.const 0) (i32.const 4))`)}`)
  await using runner = await startRunner(module)
  for (let call = 0; call < 3; call++) expect(await runner.call("run")).toEqual(said("1110"))
})

test("a host function gets its argument and its result is taken, also after the memory has grown", async () => {
  const module = guest(
    run(`(local $n i32)
      (drop (memory.grow (i32.const 2)))
      (local.set $n (call $get (local.get $at) (local.get $length)))
      (drop (memory.grow (i32.const 2)))
      (call $take (i32.const 200000))
      (call $out (i32.const 200000) (local.get $n))`),
  )
  await using runner = await startRunner(module)
  const asked: string[] = []
  const host: HostFunction = (name, argument) => {
    asked.push(`${name} ${Buffer.from(argument)}`)
    return Buffer.from("the value")
  }
  expect(await runner.call("run", "the key", { host })).toEqual(said("the value"))
  expect(asked).toEqual(["store_get the key"])
})

test("what one call was answered is not there for the next", async () => {
  const module = guest(`
    ${run("(drop (call $get (i32.const 0) (i32.const 1))) (call $out (i32.const 0) (i32.const 1))", "ask")}
    ${run("(call $take (i32.const 64)) (call $out (i32.const 64) (i32.const 6))", "take")}`)
  await using runner = await startRunner(module)
  await runner.call("ask", "", { host: () => Buffer.from("secret") })
  expect(await runner.call("take")).toEqual(said("\0".repeat(6)))
})

test.each(Object.entries(host_errors))("the host's error %s reaches the guest as %i", async (_, number) => {
  const module = guest(
    run(
      "(i32.store (i32.const 0) (call $get (i32.const 0) (i32.const 1))) (call $out (i32.const 0) (i32.const 4))",
    ),
  )
  await using runner = await startRunner(module)
  runner.send("call", { function: "run", env: {} })
  expect((await runner.next())?.kind).toBe("host")
  runner.send("answer", { error: number })
  const done = await runner.next()
  expect(Buffer.from(done!.body).readInt32LE(0)).toBe(number)
})

type Sent = [kind: Kind, header: object, body?: Uint8Array]

const page = 65536
test.each([
  ["begins outside of memory", page, 1, host_errors.invalid],
  ["ends outside of memory", page - 1, 2, host_errors.invalid],
  ["is at the last address", -1, 1, host_errors.invalid],
  ["is four gigabytes long", 0, -1, host_errors.invalid],
  ["wraps around", -8, 16, host_errors.invalid],
  ["is longer than what may be said", 0, 4097, host_errors.too_large],
])("an argument that %s is never sent", async (_, at, length, expected) => {
  const module = guest(
    run(
      `(i32.store (i32.const 0) (call $get (i32.const ${at}) (i32.const ${length}))) (call $out (i32.const 0) (i32.const 4))`,
    ),
  )
  await using runner = await startRunner(module, 4096)
  runner.send("call", { function: "run", env: {} })
  const done = await runner.next()
  expect(done?.kind).toBe("done")
  expect(Buffer.from(done!.body).readInt32LE(0)).toBe(expected)
})

const output = (at: number, length: number) => run(`(call $out (i32.const ${at}) (i32.const ${length}))`)
const recursion = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))"
const utf16 = (value: string) =>
  [...Buffer.from(value, "utf16le")].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")

test.each([
  ["that does what cannot be reached", run("unreachable"), "trap", "Unreachable code should not be executed"],
  [
    "that reads outside of its memory",
    run("(i64.load (i32.const -8))"),
    "trap",
    "Out of bounds memory access",
  ],
  ["that divides by zero", run("(i64.div_s (i64.const 1) (i64.const 0))"), "trap", "Division by zero"],
  [
    "that calls nothing",
    `(table 1 funcref) (type $t (func (result i64))) ${run("(call_indirect (type $t) (i32.const 0))")}`,
    "trap",
    "",
  ],
  [
    "that calls itself for ever",
    `${recursion} ${run("(i64.extend_i32_u (call $deep (i32.const 0)))")}`,
    "trap",
    "it ran out of stack",
  ],
  ["that traps in _initialize", `(func (export "_initialize") unreachable) ${echo}`, "trap", ""],
  ["that traps as it starts", `(func $s unreachable) (start $s) ${echo}`, "instantiate", ""],
  [
    "that calls the host as it starts",
    `(func $s (drop (call $get (i32.const 0) (i32.const 0)))) (start $s) ${echo}`,
    "instantiate",
    "it called the host before it was there",
  ],
  ["whose data lie outside of its memory", `${text(page, "x")} ${run("(i64.const 0)")}`, "instantiate", ""],
  ["that has no such export", echo, "abi", "it exports no function run"],
  [
    "whose export is no function",
    '(global (export "run") i32 (i32.const 0))',
    "abi",
    "it exports no function run",
  ],
  [
    "that returns no i64",
    '(func (export "run") (param i32 i32) (result i32) (i32.const 1))',
    "abi",
    "run does not return an i64",
  ],
  ["that returns nothing", '(func (export "run") (param i32 i32))', "abi", "run does not return an i64"],
  [
    "whose output begins outside of memory",
    output(page + 1, 0),
    "abi",
    "its output lies outside of its memory",
  ],
  [
    "whose output ends outside of memory",
    output(page - 1, 2),
    "abi",
    "its output lies outside of its memory",
  ],
  ["whose output is at the last address", output(-1, 1), "abi", "its output lies outside of its memory"],
  ["whose output is too long", output(0, 4097), "output", "its output of 4097 bytes is more than 4096"],
  [
    "whose output is four gigabytes long",
    output(0, -1),
    "output",
    "its output of 4294967295 bytes is more than 4096",
  ],
  [
    "that takes a result to where no memory is",
    run("(drop (call $get (i32.const 0) (i32.const 1))) (call $take (i32.const -4)) (i64.const 0)"),
    "trap",
    "take_result was given an address outside of its memory",
  ],
  [
    "that aborts",
    `${text(64, `\\0a\\00\\00\\00${utf16("oops!")}`)} ${text(128, `\\08\\00\\00\\00${utf16("a.ts")}`)} ${run("(call $abort (i32.const 68) (i32.const 132) (i32.const 3) (i32.const 9)) (i64.const 0)")}`,
    "trap",
    "it aborted: oops! (a.ts:3:9)",
  ],
  [
    "that aborts without a message",
    run("(call $abort (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 0)"),
    "trap",
    "it aborted: no message (:0:0)",
  ],
  [
    "that aborts with addresses outside of memory",
    run("(call $abort (i32.const -1) (i32.const 65537) (i32.const 0) (i32.const 0)) (i64.const 0)"),
    "trap",
    "it aborted: no message (:0:0)",
  ],
])("a guest %s fails, and the runner goes on", async (_, parts, kind, message) => {
  await using runner = await startRunner(guest(parts), 4096)
  for (let call = 0; call < 2; call++) {
    const answered = await runner.call("run", "", { host: () => Buffer.from("result") })
    expect(answered).toMatchObject({ failed: kind, message: expect.stringContaining(message) })
  }
})

test("a guest that ends with much of its memory in use is said to have had it", async () => {
  const hungry = run("(drop (memory.grow (i32.const 200))) unreachable")
  await using runner = await startRunner(guest(hungry))
  expect(await runner.call("run")).toMatchObject({
    failed: "trap",
    message:
      "Unreachable code should not be executed; it had 201 of at most 256 pages of memory (memory_pages_max)",
  })
})

test("an abort's message of any length is cut", async () => {
  const abort = run(
    "(i32.store (i32.const 0) (i32.const -1)) (memory.fill (i32.const 4) (i32.const 65) (i32.const 60000)) (call $abort (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 0)",
  )
  await using runner = await startRunner(guest(abort))
  const answered = await runner.call("run")
  expect("message" in answered && answered.message.length).toBe("it aborted:  (:0:0)".length + 1024)
})

test.each([
  ["that has no room", "(i32.const 0)", "memory", "it has no room for an input of 5 bytes"],
  [
    "that gives an address outside of memory",
    "(i32.const -1)",
    "abi",
    "weft_alloc returned an address outside of its memory",
  ],
  [
    "that gives less than was asked for",
    `(i32.const ${page - 4})`,
    "abi",
    "weft_alloc returned an address outside of its memory",
  ],
  ["that traps", "unreachable", "trap", ""],
])("an allocator %s fails the call", async (_, alloc, kind, message) => {
  await using runner = await startRunner(guest(echo, { alloc }))
  const answered = await runner.call("echo", "input")
  expect(answered).toMatchObject({ failed: kind, message: expect.stringContaining(message) })
})

test("an allocator may grow the memory", async () => {
  const alloc = "(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))"
  await using runner = await startRunner(guest(echo, { alloc }))
  expect(await runner.call("echo", "input")).toEqual(said("input"))
})

test("what a call says is over before anything is imported that nobody gives", async () => {
  await using runner = await startRunner(
    wat('(module (import "env" "other" (func)) (memory (export "memory") 1))'),
  )
  expect(await runner.call("run")).toMatchObject({
    failed: "instantiate",
    message: expect.stringContaining("env"),
  })
})

test.each([
  ["nothing", new Uint8Array(0)],
  ["text", Buffer.from("not a module")],
  ["a module that is cut", guest(echo).subarray(0, 60)],
])("%s does not compile, and is no module to call", async (_, bytes) => {
  await using runner = await startRunner()
  expect(await runner.load(bytes)).toStartWith("compile: it cannot be compiled: ")
  runner.send("call", { function: "run", env: {} })
  expect(await runner.next()).toBeUndefined()
  expect(await runner.exited).toBe(3)
})

test("a guest that runs out of stack as it calls the host leaves a runner that goes on", async () => {
  // Values that are held over the call make its frames large, so that they are few.
  const held = Array.from({ length: 64 }, (_, index) => index)
  const module = guest(`
    (func $down (param $n i32) ${held.map((index) => `(local $v${index} i64)`).join(" ")}
      ${held.map((index) => `(local.set $v${index} (i64.load (i32.const ${8 * index})))`).join("\n")}
      (if (i32.eqz (local.get $n))
        (then (drop (call $get (i32.const 0) (i32.const 0))))
        (else (call $down (i32.sub (local.get $n) (i32.const 1)))))
      ${held.map((index) => `(i64.store (i32.const ${8 * index}) (local.get $v${index}))`).join("\n")})
    ${run("(call $down (i32.load (local.get $at))) (i64.const 0)")}`)
  await using runner = await startRunner(module)
  const ends: string[] = []
  const goesTo = async (depth: number): Promise<boolean> => {
    const input = Buffer.alloc(4)
    input.writeUInt32LE(depth)
    const answered = await runner.call("run", input, { host: () => new Uint8Array(0) })
    ends.push("failed" in answered ? answered.message : "done")
    return !("failed" in answered)
  }
  // Once it has been compiled for good, its frames stay as large as they are.
  for (let call = 0; call < 2000; call++) await goesTo(100)
  let [enough, too_much] = [0, 1 << 17]
  while (too_much - enough > 1) {
    const middle = (enough + too_much) >> 1
    if (await goesTo(middle)) enough = middle
    else too_much = middle
  }
  ends.length = 0
  // Somewhere around here it is the host's part that has no room.
  for (let depth = enough - 5; depth < enough + 40; depth++) await goesTo(depth)
  expect([...new Set(ends)].sort()).toEqual(["done", "it ran out of stack"])
}, 30_000)

test.each([
  ["a call comes first", [["call", { function: "run", env: {} }]]],
  [
    "a second module comes",
    [
      ["load", { engine: "reactor" }, guest(echo)],
      ["load", { engine: "reactor" }, guest(echo)],
    ],
  ],
  [
    "an answer comes that nobody asked for",
    [
      ["load", { engine: "reactor" }, guest(echo)],
      ["answer", { error: 0 }],
    ],
  ],
] as [string, Sent[]][])("where %s, the runner ends", async (_, frames) => {
  await using runner = await startRunner()
  for (const [kind, header, body] of frames) runner.send(kind, header, body)
  while (await runner.next());
  expect(await runner.exited).toBe(3)
})

test("bytes that are no frames end the runner, with nothing held for their lengths", async () => {
  await using runner = await startRunner()
  runner.write(Buffer.from("ffffffff01ffffffff", "hex"))
  expect(await runner.next()).toBeUndefined()
  expect(await runner.exited).toBe(3)
})

test("a runner ends with its standard input", async () => {
  await using runner = await startRunner(guest(echo))
  await runner.call("echo", "x")
  runner.end()
  expect(await runner.exited).toBe(0)
})

test("a runner that ends in the middle of a host function leaves nothing", async () => {
  await using runner = await startRunner(
    guest(run("(i64.extend_i32_u (call $get (i32.const 0) (i32.const 1)))")),
  )
  runner.send("call", { function: "run", env: {} })
  expect((await runner.next())?.kind).toBe("host")
  runner.end()
  expect(await runner.exited).not.toBeUndefined()
})

test.each([
  [[]],
  [["reactor"]],
  [["reactor", "--parent"]],
  [["other", "--parent", "1"]],
  [["--parent", "1", "reactor"]],
])("the words %j start no runner", async (words) => {
  const { ownCommand } = await import("../../../src/kernel/launcher.ts")
  const child = Bun.spawn([...ownCommand("runner"), ...words], { stdio: ["ignore", "pipe", "ignore"] })
  expect(await child.exited).toBe(2)
  expect(await new Response(child.stdout).text()).toBe("")
})

test("twenty thousand calls that grow their memory leave a runner about as large as it was", async () => {
  const module = guest(
    `${echo} ${run("(drop (memory.grow (i32.const 20))) (memory.fill (i32.const 0) (i32.const 7) (i32.const 200000)) (call $out (i32.const 0) (i32.const 3))")}`,
  )
  await using runner = await startRunner(module)
  for (let call = 0; call < 20_000; call++) {
    const grows = call % 4 === 0
    expect(await runner.call(grows ? "run" : "echo", "abc")).toEqual(said(grows ? "\x07\x07\x07" : "abc"))
  }
  const megabytes = (Number(readFileSync(`/proc/${runner.pid}/statm`, "utf8").split(" ")[1]) * 4096) / 2 ** 20
  expect(megabytes).toBeLessThan(250)
}, 60_000)

test.each([
  ["that are there from the start", "(table 65536 65536 funcref)", ""],
  ["that grow", "(table 1 65536 funcref)", "(drop (table.grow (ref.null func) (i32.const 65535)))"],
])("tables %s are collected before they come to much", async (_, table, grow) => {
  await using runner = await startRunner(guest(`${table} ${run(`${grow} (i64.const 0)`)}`))
  let most_bytes = 0
  for (let call = 0; call < 100; call++) {
    expect(await runner.call("run")).toEqual(said(""))
    most_bytes = Math.max(
      most_bytes,
      Number(readFileSync(`/proc/${runner.pid}/statm`, "utf8").split(" ")[1]) * 4096,
    )
  }
  expect(most_bytes).toBeLessThan(160 << 20)
})
