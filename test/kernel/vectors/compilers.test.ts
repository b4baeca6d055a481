/** The kernel from other compilers, C libraries and for other processors: it has the same results to the last bit. */
import { expect } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { needs } from "../../needs.ts"

const root = join(import.meta.dir, "../../..")

function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), "weft-compilers-"))
  return {
    at: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

function run(...command: string[]): string {
  const child = Bun.spawnSync(command, { stderr: "pipe", timeout: 60_000 })
  expect([child.exitCode, command.includes("-o") ? child.stderr.toString() : ""]).toEqual([0, ""])
  return child.stdout.toString()
}

/** The flags of scripts/native.ts, but for the optimisation. */
function compile(compiler: string, to: string, ...flags: string[]): void {
  const sources = ["vectors", "rows", "embed"].map((name) => join(root, `native/${name}.c`))
  const strict = [
    "-std=c11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
  ]
  run(
    compiler,
    ...strict,
    ...flags,
    `-I${root}/native`,
    join(import.meta.dir, "results.c"),
    ...sources,
    "-o",
    to,
  )
}

let plain: string | undefined

/** By the compiler of this machine, without optimisation; made once. */
function plainResults(): string {
  if (plain) return plain
  using folder = openFolder()
  compile("cc", folder.at("plain"), "-O0")
  plain = run(folder.at("plain"), "0")
  return plain
}

const compilers = [
  { command: ["clang"], flags: ["-O3"], sets: ["0", "1", "2"], from: "clang" },
  { command: ["musl-gcc"], flags: ["-O1", "-static"], sets: ["2"], from: "gcc with musl" },
  {
    command: ["aarch64-linux-gnu-gcc", "qemu-aarch64"],
    flags: ["-O3", "-static"],
    sets: ["0"],
    from: "gcc for AArch64",
  },
]
for (const { command, flags, sets, from } of compilers) {
  const [compiler, ...emulator] = command
  needs({ command: ["cc", ...command] })(
    `every result of the kernel by ${from} has the bits that it has without optimisation`,
    () => {
      using folder = openFolder()
      const wanted = plainResults()
      expect(wanted.split("\n").length).toBeGreaterThan(500)
      compile(compiler!, folder.at("program"), ...flags)
      for (const most of sets) expect(run(...emulator, folder.at("program"), most)).toBe(wanted)
    },
    120_000,
  )
}
