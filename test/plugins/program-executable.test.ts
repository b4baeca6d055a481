/** Programs as those run them who have nothing but the executable: its SDK is packed, and its threads are chunks of it. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { join, resolve } from "node:path"
import "../e2e/weft.ts"
import { connects, echoes, folder, openPrograms, program, reads, tells, writes } from "./programs.ts"

setDefaultTimeout(60_000)
const command = [resolve("dist/weft"), "runner"]

test("the executable runs a program with its input, its arguments, its values and its folders", async () => {
  await using programs = openPrograms({ command })
  const input = "hello".repeat(50_000)
  expect(await programs.run(echoes, { input })).toEqual({
    output: input,
    exit_code: 0,
    stderr: "",
    folders: [],
  })
  expect(await programs.run(tells, { env: { A: "1" } })).toMatchObject({ output: "A=1\0" })
  const folders = [folder("/srv/ro", false, { a: "read only" }), folder("/srv/rw", true, { a: "old" })]
  expect(await programs.run(reads, { args: ["x", "/srv/ro/a"], folders })).toMatchObject({
    output: "read only",
  })
  const write = (path: string) => programs.run(writes, { args: ["x", path], folders, input: "new" })
  expect(await write("/srv/rw/a")).toMatchObject({
    exit_code: 0,
    folders: [folder("/srv/rw", true, { a: "new" })],
  })
  expect(await write("/srv/ro/a")).toMatchObject({ exit_code: 63, folders: [{ files: {} }] })
  if (process.platform === "linux") expect(programs.pool.missing()).toEqual([])
})

test("the executable's programs reach nothing, and what is hostile is stopped", async () => {
  let reached = 0
  using listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => void reached++, data: () => undefined },
  })
  await using programs = openPrograms({ command, timeout_ms: 4000 })
  expect(await programs.run(connects(listener.port))).toMatchObject({ exit_code: 58 })
  expect(reached).toBe(0)
  for (const path of ["/etc/passwd", "/proc/self/environ", `../../../..${process.execPath}`]) {
    expect(await programs.run(reads, { args: ["x", path] })).toMatchObject({ output: "", exit_code: 44 })
  }
  expect(await programs.run(program("(loop $for_ever (br $for_ever))"))).toMatchObject({ failed: "time" })
  expect(await programs.run(program("unreachable"))).toMatchObject({ failed: "trap" })
  const floods = program(
    "(loop $more (call $write (i32.const 1) (i32.const 0) (i32.const 65536)) (br $more))",
  )
  expect(await programs.run(floods)).toMatchObject({ failed: "output" })
  const deeper = program("(call $deeper)", { more: "(func $deeper (call $deeper))" })
  expect(await programs.run(deeper)).toMatchObject({ failed: "trap" })
  // Of a program that sleeps, the timer is a thread that starts behind the walls.
  const sleeps = program(
    `(call $check (call $wait (i32.const 8192) (i32.const 128) (i32.const 1) (i32.const 8)))`,
    {
      imports:
        '(import "wasi_snapshot_preview1" "poll_oneoff" (func $wait (param i32 i32 i32 i32) (result i32)))',
      more: '(data (i32.const 8216) "\\40\\42\\0f")',
    },
  )
  for (let call = 0; call < 20; call++) expect(await programs.run(sleeps)).toMatchObject({ exit_code: 0 })
})

test("only the runner of programs has the SDK, and it loads it when it is one", async () => {
  const found: string[] = []
  for (const path of new Bun.Glob("src/**/*.ts").scanSync()) {
    const text = await Bun.file(path).text()
    if (text.includes("@wasmer/sdk")) found.push(path)
    expect([
      path,
      /from "[./]*program(-sdk|-worker)?\.ts"/.test(text) &&
        !path.startsWith(join("src/plugins/runner/program")),
    ]).toEqual([path, false])
  }
  expect(found.sort()).toEqual(
    ["program-sdk", "program-worker", "program"].map((name) => `src/plugins/runner/${name}.ts`).sort(),
  )
})
