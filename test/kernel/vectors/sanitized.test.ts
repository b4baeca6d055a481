/** The kernel in C under AddressSanitizer and UndefinedBehaviorSanitizer, by test/kernel/vectors/driver.c. */
import { expect } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { needs } from "../../needs.ts"

const root = join(import.meta.dir, "../../..")
const sources = ["vectors", "rows", "embed"].map((name) => join(root, `native/${name}.c`))
const driver = join(import.meta.dir, "driver.c")
// Optimised it takes six times as long to compile, which is most of the time.
const flags = ["-std=c11", "-g", "-O0", "-fno-sanitize-recover=all", `-I${join(root, "native")}`]
/** How long a fuzzer runs in a test; for hours it is run by hand, with a folder of what it found before. */
const fuzz_s = 4

function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), "weft-sanitized-"))
  return {
    at: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

function run(command: string[], seconds: number): { status: number | null; said: string } {
  const child = Bun.spawnSync(command, {
    stderr: "pipe",
    stdout: "pipe",
    timeout: seconds * 1000,
    // A leak is found by LeakSanitizer, which cannot be where the process is traced.
    env: { PATH: process.env.PATH, ASAN_OPTIONS: "detect_leaks=0" },
  })
  return { status: child.exitCode, said: (child.stdout.toString() + child.stderr.toString()).slice(-3000) }
}

/** Whether the compiler has the libraries of its sanitizers, which come in packages of their own. */
function lacks(compiler: string, sanitizers: string): string[] {
  if (!Bun.which(compiler)) return [compiler]
  using folder = openFolder()
  writeFileSync(
    folder.at("try.c"),
    "int LLVMFuzzerTestOneInput(const unsigned char *a, unsigned long n) { return a && n > 4e9; }\n#ifndef FUZZER\nint main(void) { return 0; }\n#endif\n",
  )
  const defined = sanitizers.includes("fuzzer") ? ["-DFUZZER"] : []
  const made = run(
    [compiler, ...defined, `-fsanitize=${sanitizers}`, folder.at("try.c"), "-o", folder.at("try")],
    30,
  )
  return made.status === 0 ? [] : [`${compiler} with -fsanitize=${sanitizers}`]
}

const compiler = ["gcc", "clang"].find((name) => lacks(name, "address,undefined").length === 0)
needs({ command: compiler ?? "gcc or clang with -fsanitize=address,undefined" })(
  "every entry point with random shapes is clean under the sanitizers",
  () => {
    using folder = openFolder()
    const sanitize = "-fsanitize=address,undefined"
    const made = [compiler!, ...flags, sanitize, driver, ...sources, "-lm", "-o", folder.at("driver")]
    expect(run(made, 60)).toEqual({ status: 0, said: "" })
    expect(run([folder.at("driver"), "2000", "1"], 60)).toEqual({ status: 0, said: "2000 rounds\n" })
  },
  120_000,
)

const fuzzer = "fuzzer,address,undefined"
needs({ command: lacks("clang", fuzzer) })(
  `a fuzzer finds nothing in ${fuzz_s} s`,
  () => {
    using folder = openFolder()
    const made = [
      "clang",
      ...flags,
      "-DFUZZER",
      `-fsanitize=${fuzzer}`,
      driver,
      ...sources,
      "-lm",
      "-o",
      folder.at("fuzzer"),
    ]
    expect(run(made, 60)).toEqual({ status: 0, said: "" })
    mkdirSync(folder.at("corpus"))
    // One input for each kind of exercise, so that none waits to be found.
    for (let kind = 0; kind < 6; kind++)
      writeFileSync(
        folder.at(`corpus/${kind}`),
        Uint8Array.from({ length: 300 }, (_, i) => (i === 7 ? kind : i < 8 ? 0 : (i * 37) % 251)),
      )
    const fuzz = [
      folder.at("fuzzer"),
      `-max_total_time=${fuzz_s}`,
      "-max_len=600",
      // Of one allocation. The peak of a process counts that of the one that started it, which has run other tests.
      "-rss_limit_mb=0",
      "-malloc_limit_mb=500",
      `-artifact_prefix=${folder.at("")}`,
    ]
    const { status, said } = run([...fuzz, folder.at("corpus")], fuzz_s + 60)
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" })
    expect(said).toMatch(/Done \d{3,} runs/)
  },
  120_000,
)
