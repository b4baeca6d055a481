/**
 * Every check and every test. Arguments go to `bun test`. The checks count as tests in the last line:
 * `N passed, N failed, N skipped`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { cpus } from "node:os"
import { dirname, join } from "node:path"

type Outcome = { passed: number; failed: number; skipped: number; reasons: string[] }

/** Held over all lines of src/ that a test loads. Files that only run in other processes are named instead. */
const coverage_percent_min = 85
const begun_ms = Date.now()
const bun_test_arguments = process.argv.slice(2)

const results = [
  await Promise.all([
    check("biome", ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"]),
    check("tsc", ["node_modules/typescript/bin/tsc"]),
  ]),
  await checkReferences(),
  await check("build", ["scripts/build.ts"]),
].flat()

// A stale file of the last run must not speak for this one.
rmSync("coverage", { recursive: true, force: true })
mkdirSync("coverage")
const tests = await runTests()
// Bun writes no coverage of a run that failed.
if (bun_test_arguments.length === 0 && tests.failed === 0) results.push(checkCoverage())

for (const reason of tests.reasons) console.log(`skipped: ${reason}`)
console.log(wallsHere())
console.log(`${((Date.now() - begun_ms) / 1000).toFixed(0)} s`)
const passed = tests.passed + results.filter((ok) => ok).length
const failed = tests.failed + results.filter((ok) => !ok).length
console.log(`${passed} passed, ${failed} failed, ${tests.skipped} skipped`)
process.exit(failed === 0 ? 0 : 1)

function report(ok: boolean, name: string, detail = ""): boolean {
  console.log(`${ok ? "ok    " : "FAILED"} ${name}${detail && `: ${detail}`}`)
  return ok
}

/** Runs a script with this very Bun, so that neither Node nor a `bun` on PATH is needed; output shows if it fails. */
async function check(name: string, script: string[]): Promise<boolean> {
  const child = Bun.spawn([process.execPath, ...script], { stdout: "pipe", stderr: "pipe" })
  const [out, error, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (status !== 0) process.stderr.write(out + error)
  return report(status === 0, name)
}

/** The generated documents are committed: making them again must change nothing. */
async function checkReferences(): Promise<boolean> {
  const before = readDocuments()
  if (!(await check("scripts/reference.ts", ["scripts/reference.ts"]))) return false
  const after = readDocuments()
  const names = new Set([...before.keys(), ...after.keys()])
  const stale = [...names].filter((name) => before.get(name) !== after.get(name))
  const detail = stale.length > 0 ? `${stale.join(", ")} changed; commit what was just generated` : ""
  return report(stale.length === 0, "generated references", detail)
}

function readDocuments(): Map<string, string> {
  const files = readdirSync("docs", { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const paths = files.map((entry) => join(entry.parentPath, entry.name))
  return new Map(paths.map((path) => [path, readFileSync(path, "utf8")]))
}

/** Bun's own lines go through as they come (its summary is on standard error); the counts are read from them. */
async function runTests(): Promise<Outcome> {
  const report_path = "coverage/junit.xml"
  const flags = [
    cpus().length > 1 ? ["--parallel"] : [],
    `--reporter=junit`,
    `--reporter-outfile=${report_path}`,
  ]
  const coverage = ["--coverage", "--coverage-reporter=lcov", "--coverage-dir=coverage"]
  const command = [
    "test",
    ...flags.flat(),
    ...(bun_test_arguments.length === 0 ? coverage : bun_test_arguments),
  ]
  // Last on PATH, for the tests that run what people run: a pinned Bun may be nowhere else.
  const env = { ...process.env, PATH: `${process.env.PATH}:${dirname(process.execPath)}` }
  const child = Bun.spawn([process.execPath, ...command], { env, stdout: "inherit", stderr: "pipe" })
  let text = ""
  const decoder = new TextDecoder()
  for await (const bytes of child.stderr) {
    process.stderr.write(bytes)
    text += decoder.decode(bytes, { stream: true })
  }
  const status = await child.exited
  const summary = Bun.stripANSI(text)
  const count = (word: string) => Number(summary.match(new RegExp(`^\\s*(\\d+) ${word}$`, "m"))?.[1] ?? 0)
  // A run that died, or that found no test, prints no failure of its own.
  const failed = Math.max(count("fail"), status === 0 && count("pass") > 0 ? 0 : 1)
  const skipped = count("skip") + count("todo")
  return { passed: count("pass"), failed, skipped, reasons: await skippedNames(report_path) }
}

async function skippedNames(report_path: string): Promise<string[]> {
  const file = Bun.file(report_path)
  if (!(await file.exists())) return []
  const cases = (await file.text()).matchAll(/<testcase name="([^"]*)"[^>]*file="([^"]*)"[^>]*>\s*<skipped/g)
  return [...cases].map(([, name = "", path = ""]) => `${path}: ${unescapeXml(name)}`)
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }
  return text.replace(/&(\w+);/g, (whole, name) => entities[name] ?? whole)
}

/** What this kernel gives whoever runs the tests; other users and kernels are tried as far as one may. */
function wallsHere(): string {
  const doctor = ["src/main.ts", "doctor", "--json", "--home", join("coverage", "no-home")]
  const { stdout } = Bun.spawnSync([process.execPath, ...doctor])
  const said = stdout.toString() || '{"checks": []}'
  const { checks } = JSON.parse(said) as { checks: { what: string; detail: string }[] }
  const found = checks.find(({ what }) => what === "walls")
  return `walls around programs, as uid ${process.getuid?.() ?? "unknown"}: ${found?.detail ?? "unknown"}`
}

function checkCoverage(): boolean {
  const files = readCoverage().filter(({ path }) => path.startsWith("src/"))
  const lines = files.reduce((sum, file) => sum + file.lines, 0)
  const hit = files.reduce((sum, file) => sum + file.hit, 0)
  const percent = lines === 0 ? 0 : (100 * hit) / lines
  const loaded = new Set(files.map(({ path }) => path))
  const unseen = [...new Bun.Glob("src/**/*.ts").scanSync()].filter((path) => !loaded.has(path)).sort()
  for (const { path, lines, hit } of files.sort((a, b) => b.lines - b.hit - (a.lines - a.hit)).slice(0, 5))
    console.log(`       ${(lines - hit).toString().padStart(4)} of ${lines} lines not run in ${path}`)
  if (unseen.length > 0) console.log(`       not loaded by a test in its own process: ${unseen.join(", ")}`)
  const detail = `${percent.toFixed(1)} % of ${lines} lines, at least ${coverage_percent_min} %`
  return report(percent >= coverage_percent_min, "line coverage", detail)
}

/** lcov: SF is a file, LF its lines, LH those that ran. */
function readCoverage(): { path: string; lines: number; hit: number }[] {
  const records = readFileSync("coverage/lcov.info", "utf8").split("end_of_record")
  const field = (record: string, name: string) => record.match(new RegExp(`^${name}:(.*)$`, "m"))?.[1] ?? ""
  return records
    .map((text) => ({
      path: field(text, "SF"),
      lines: Number(field(text, "LF")),
      hit: Number(field(text, "LH")),
    }))
    .filter(({ path }) => path !== "")
}
