/** What programs are given, what they are not, and how they fail: each behind the walls of a real runner. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../harness.ts"
import {
  connects,
  echoes,
  folder,
  gropes,
  links,
  makes,
  openPrograms,
  program,
  reads,
  resolves,
  tells,
  unlinks,
  writes,
} from "./programs.ts"
import { compile } from "./toolchains.ts"

// Each starts processes of its own, some of them several, on a machine that does other things at the same time.
setDefaultTimeout(60_000)

/** Numbers of WASI's errors; the last is the SDK's for a pointer that points nowhere. */
const [not_found, not_executable, not_supported, fault] = [44, 45, 58, 78]

test("a program gets its input, and its output and its status come back", async () => {
  await using programs = openPrograms()
  for (const input of ["", "hello", "\0\xff".repeat(150_000)]) {
    expect(await programs.run(echoes, { input })).toEqual({
      output: input,
      exit_code: 0,
      stderr: "",
      folders: [],
    })
  }
  expect(
    await programs.run(program("(call $exit (i32.const 9))"), { input: "not read".repeat(50_000) }),
  ).toMatchObject({
    output: "",
    exit_code: 9,
  })
})

test("a program gets its arguments and the values that it was granted, and nothing of the gateway's", async () => {
  process.env.WEFT_TEST_SECRET = "not for programs"
  await using programs = openPrograms()
  const env = { TOKEN: "for it", OTHER: "ü = =" }
  const { output } = (await programs.run(tells, { env })) as { output: string }
  expect(output.split("\0").sort()).toEqual(["", "OTHER=ü = =", "TOKEN=for it"])
  expect(await programs.run(tells)).toMatchObject({ output: "" })
  const said = program(
    `(call $write (i32.const 1) (call $argument (i32.const 1)) (call $length (call $argument (i32.const 1))))`,
  )
  for (const word of ["a", "", "--x=ü 'q\"", "$(id)"]) {
    expect(await programs.run(said, { args: [word] })).toMatchObject({ output: word })
  }
})

test("twenty attempts to reach what was not granted reach nothing", async () => {
  await using outside = await temporaryFolder()
  const secret = join(outside.path, "secret")
  writeFileSync(secret, "a secret")
  let reached = 0
  using listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => void reached++, data: () => undefined },
  })
  await using programs = openPrograms()
  const folders = [folder("/srv/ro", false, {}), folder("/srv/rw", true, {})]
  const run = async (module: Uint8Array, ...args: string[]) => {
    const ran = await programs.run(module, { args: ["x", ...args], folders, input: "overwritten" })
    return "failed" in ran ? ran.failed : `${ran.exit_code} ${ran.output}`
  }
  const nothing = `${not_found} `
  for (const path of [
    secret,
    `../../../../../../../..${secret}`,
    `/srv/ro/../../..${secret}`,
    `/srv/ro/..${secret}`,
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/root/etc/passwd",
    `/proc/${process.pid}/environ`,
    "/proc/self/fd/0",
    "/dev/mem",
    "/sys/kernel/notes",
    process.execPath,
    "//etc/passwd",
  ]) {
    expect([path, await run(reads, path)]).toEqual([path, nothing])
  }
  // A link leads to what it names in the program's own file system.
  for (const place of ["/srv/rw/link", "/tmp/link", "link"])
    expect(await run(links, secret, place)).toMatch(/^(44|63|76) $/)
  expect(await run(gropes)).toBe("0 ")
  expect(await run(connects(listener.port))).toBe(`${not_supported} `)
  expect(await run(resolves)).toBe(`${not_supported} `)
  // It may write wherever it likes, in memory.
  expect(await run(writes, secret)).toMatch(/^(0|44) $/)
  expect(await run(unlinks, secret)).toBe(nothing)
  expect(await run(makes, join(outside.path, "made"))).toMatch(/^(0|44) $/)
  expect(readFileSync(secret, "utf8")).toBe("a secret")
  expect(existsSync(join(outside.path, "made"))).toBe(false)
  expect(reached).toBe(0)
})

test("no state survives a call: neither memory nor files", async () => {
  await using programs = openPrograms()
  const counts = program(
    `(i32.store8 (i32.const 8192) (i32.add (i32.load8_u (i32.const 8192)) (i32.const 49)))
     (drop (memory.grow (i32.const 1)))
     (call $write (i32.const 1) (i32.const 8192) (i32.const 1))`,
  )
  for (let call = 0; call < 3; call++) expect(await programs.run(counts)).toMatchObject({ output: "1" })
  // The same module, so that it is the same process. What the SDK keeps from one program to the next is in /workspace.
  const keeps = program(
    "(call $check (call $path_create_directory (i32.const 3) (i32.const 8192) (i32.const 9))) (call $check (call $path_create_directory (i32.const 3) (i32.const 8201) (i32.const 15)))",
    { more: '(data (i32.const 8192) "/tmp/kept/workspace/kept")' },
  )
  for (let call = 0; call < 3; call++) expect(await programs.run(keeps)).toMatchObject({ exit_code: 0 })
})

test("an endless loop is stopped at its deadline, and the next call is answered", async () => {
  await using programs = openPrograms({ timeout_ms: 2000 })
  const loop = "(loop $for_ever (br $for_ever))"
  const started = performance.now()
  expect(await programs.run(program(loop))).toMatchObject({ failed: "time" })
  expect(performance.now() - started).toBeLessThan(4000)
  const at_start = program("", { more: `(start $start) (func $start ${loop})` })
  expect(await programs.run(at_start)).toMatchObject({ failed: "time" })
  const errors = program("(loop $more (call $write (i32.const 2) (i32.const 0) (i32.const 4096)) (br $more))")
  expect(await programs.run(errors)).toMatchObject({ failed: "time" })
  expect(await programs.run(echoes, { input: "still there" })).toMatchObject({ output: "still there" })
})

test.each<[string, string, object]>([
  ["an instruction that stops it", "unreachable", { failed: "trap" }],
  [
    "a stack without end",
    "(call $deeper)",
    { failed: "trap", message: expect.stringContaining("ran out of stack") },
  ],
  ["an address outside of its memory", "(drop (i32.load (i32.const -4)))", { failed: "trap" }],
  [
    "more output than it may have",
    "(loop $more (call $write (i32.const 1) (i32.const 0) (i32.const 65536)) (br $more))",
    { failed: "output" },
  ],
  [
    "all the memory that there is",
    "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (call $exit (memory.size))",
    { exit_code: 64 },
  ],
  ["a signal to itself that aborts", "(drop (call $raise (i32.const 6)))", { exit_code: 134 }],
  ["a signal to itself that kills", "(drop (call $raise (i32.const 9)))", { exit_code: expect.any(Number) }],
  [
    "a vector of four gigabytes",
    "(i32.store (i32.const 0) (i32.const 8192)) (i32.store (i32.const 4) (i32.const -1)) (call $check (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))",
    { exit_code: fault },
  ],
  [
    "four thousand million vectors",
    "(call $check (call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8)))",
    { exit_code: fault },
  ],
  [
    "vectors at the end of its memory",
    "(call $check (call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 8)))",
    { exit_code: fault },
  ],
  [
    "a path of four gigabytes",
    "(call $check (call $path_create_directory (i32.const 3) (i32.const 0) (i32.const -1)))",
    { exit_code: fault },
  ],
])("a program with %s harms nobody", async (_, body, expected) => {
  await using programs = openPrograms()
  const module = program(body, { more: "(func $deeper (call $deeper))" })
  expect(await programs.run(module, { input: "x" })).toMatchObject(expected)
})

test("what a program says before it fails is told, and no more of it than there is room for", async () => {
  await using programs = openPrograms()
  const dies = program(`(call $write (i32.const 2) (i32.const 8192) (i32.const 9)) unreachable`, {
    more: '(data (i32.const 8192) "last word")',
  })
  expect(await programs.run(dies)).toMatchObject({ failed: "trap", stderr: "last word" })
  const babbles = program(`(local.set $n (i32.const 40))
    (loop $more (call $write (i32.const 2) (i32.const 0) (i32.const 65536)) (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))`)
  const ran = await programs.run(babbles)
  expect(ran.stderr.length).toBe(65_536)
  expect(ran).toMatchObject({ exit_code: 0 })
})

test("a megabyte of arguments is what a program has room for or not", async () => {
  await using programs = openPrograms()
  expect(await programs.run(echoes, { args: ["x".repeat(1 << 20)] })).toMatchObject({ exit_code: fault })
  expect(
    await programs.run(program("", { memory: "32 64" }), { args: Array(1000).fill("y".repeat(1000)) }),
  ).toMatchObject({ exit_code: 0 })
})

test("files that a program makes outside of its folders end with the memory for them", async () => {
  await using programs = openPrograms()
  // One file after the other, of 4 MiB each.
  const fills = program(
    `(loop $more
      (i32.store8 (i32.const 8192) (i32.add (i32.load8_u (i32.const 8192)) (i32.const 1)))
      (local.set $fd (call $open (i32.const 8192) (i32.const 9) (i64.const 64)))
      (call $write (local.get $fd) (i32.const 0) (i32.const 4194304))
      (br $more))`,
    { memory: "64 64", more: '(data (i32.const 8192) "\\20f")' },
  )
  const ran = await programs.run(fills)
  expect(ran).not.toMatchObject({ exit_code: 0 })
  expect(await programs.run(echoes, { input: "still there" })).toMatchObject({ output: "still there" })
})

test("a module that cannot be linked or compiled does not run", async () => {
  await using programs = openPrograms()
  const odd = program("", { imports: '(import "wasix_32v1" "no_such_function" (func (param i64)))' })
  expect(await programs.run(odd)).toMatchObject({ output: "", exit_code: not_executable })
  // `i32.add` without anything to add, in the place of `nop nop`.
  const bytes = Buffer.from(program("nop nop nop nop"))
  bytes.fill(0x6a, bytes.lastIndexOf(Buffer.of(1, 1, 1, 1)), bytes.lastIndexOf(Buffer.of(1, 1, 1, 1)) + 4)
  expect(await programs.run(new Uint8Array(bytes))).toMatchObject({ failed: "compile" })
})

test("a program of AssemblyScript talks over standard streams", async () => {
  const source = `
    const name = process.argv[1]
    const buffer = new ArrayBuffer(1024)
    const length = process.stdin.read(buffer)
    const input = String.UTF8.decode(buffer.slice(0, <i32>length))
    process.stdout.write(name + " said " + input + " in " + process.env.get("PLACE"))
    process.stderr.write("a note")
    process.exit(3)`
  const module = compile("assemblyscript", source, [
    "--config",
    "./node_modules/@assemblyscript/wasi-shim/asconfig.json",
  ])
  await using programs = openPrograms()
  expect(await programs.run(module, { args: ["ann"], env: { PLACE: "a test" }, input: "hello" })).toEqual({
    ...{ output: "ann said hello in a test", exit_code: 3, folders: [] },
    stderr: "a note",
  })
})
