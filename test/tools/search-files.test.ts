import { expect, test } from "bun:test"
import { chmodSync, readdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import type { Execute, Executed } from "../../src/security/sandbox/execute.ts"
import { openSandbox } from "../../src/security/sandbox/sandbox.ts"
import { ToolDenied } from "../../src/security/target.ts"
import { search } from "../../src/tools/search/search.ts"
import { searchInThread } from "../../src/tools/search/thread.ts"
import { searchFiles } from "../../src/tools/search-files.ts"
import { cpuOf } from "../cpu.ts"
import { needs } from "../needs.ts"
import { openWorkspace, type Workspace } from "./context.ts"

const rg = Bun.which("rg") ?? undefined
const searchers: [string, string | undefined][] = [["our own walk", undefined]]
if (rg) searchers.push(["ripgrep", rg])

type Input = { pattern?: string; glob?: string; path?: string; limit?: number }
const find = ({ context }: Workspace, input: Input, ripgrep?: string) =>
  search(searchFiles.parse({ ...input }), context, ripgrep)

function project() {
  const workspace = openWorkspace()
  const { put } = workspace
  put("README.md", "# A project\nIt has a needle.\n")
  put("src/app.ts", "const needle = 1\nconst other = 2\n  return needle\n")
  put("src/deep/down/app.test.ts", "test needle\r\nlast line needle")
  put("build/out.js", "needle")
  put("debug.log", "needle")
  put("kept.log", "needle")
  put(".gitignore", "# made\n/build/\n*.log\n!kept.log\n")
  put(".git/config", "needle")
  put(".github/ci.yml", "run: needle\n")
  put("picture.bin", "needle\0needle")
  return workspace
}

test.each(searchers)("%s finds lines where a person would look", async (_, ripgrep) => {
  using workspace = project()
  expect(await find(workspace, { pattern: "needle$" }, ripgrep)).toBe(
    [
      ".github/ci.yml:1: run: needle",
      "kept.log:1: needle",
      "src/app.ts:3:   return needle",
      "src/deep/down/app.test.ts:1: test needle",
      "src/deep/down/app.test.ts:2: last line needle",
    ].join("\n"),
  )
})

const cut = "[the first 1 of more than 2 matching lines; narrow it by path, glob or pattern, or raise limit]"

const searches: [Input, string[]][] = [
  [{ glob: "*.ts" }, ["src/app.ts", "src/deep/down/app.test.ts"]],
  [{ glob: "*.{md,yml}" }, [".github/ci.yml", "README.md"]],
  [{ glob: "src/*.ts" }, ["src/app.ts"]],
  [{ glob: "/src/**/*.test.ts" }, ["src/deep/down/app.test.ts"]],
  [{ glob: "down/*", path: "src" }, ["src/deep/down/app.test.ts"]],
  // What is named outright is found although it is ignored, unless its folder is.
  [{ glob: "debug.log" }, ["debug.log"]],
  [{ glob: "out.js" }, ["No file matches."]],
  [{ glob: "*.ts", pattern: "other" }, ["src/app.ts:2: const other = 2"]],
  [{ pattern: "needle", path: "src/app.ts", limit: 1 }, ["src/app.ts:1: const needle = 1", cut]],
  [{ pattern: "NEEDLE" }, ["No line matches."]],
  [{ pattern: "(?i)A PROJECT" }, ["README.md:1: # A project"]],
]
test.each(
  searchers.flatMap(([name, rg]) => searches.map(([input, said]) => [name, input, said, rg] as const)),
)("%s looks for %p", async (_, input, expected, ripgrep) => {
  using workspace = project()
  expect((await find(workspace, input, ripgrep)).split("\n")).toEqual(expected)
})

test.each(searchers)("%s shows nothing of a file that the rules deny, by any name", async (_, ripgrep) => {
  using workspace = openWorkspace({ denies: ({ text }) => text.startsWith("private/secret") })
  workspace.put("private/secret.txt", "canary")
  workspace.put("private/other.txt", "canary bird")
  symlinkSync("private", join(workspace.folder, "alias"))
  symlinkSync("private/secret.txt", join(workspace.folder, "alias.txt"))
  for (const path of [".", "private", "alias"]) {
    const said = await find(workspace, { pattern: "canary", path }, ripgrep)
    expect(said).toBe("private/other.txt:1: canary bird")
    expect(await find(workspace, { glob: "*.txt", path }, ripgrep)).toBe("private/other.txt")
  }
  await expect(find(workspace, { pattern: "canary", path: "alias.txt" }, ripgrep)).rejects.toThrow(
    "may not be touched",
  )
})

test.each(searchers)("%s follows no link, so that a loop of them ends", async (_, ripgrep) => {
  using workspace = openWorkspace()
  workspace.put("a/b/file.txt", "here")
  symlinkSync("..", join(workspace.folder, "a/b/up"))
  symlinkSync("/etc", join(workspace.folder, "a/etc"))
  expect(await find(workspace, { pattern: "here|root" }, ripgrep)).toBe("a/b/file.txt:1: here")
  await expect(find(workspace, { pattern: "root", path: "a/etc" }, ripgrep)).rejects.toThrow()
})

test.each(searchers)("%s: odd names stay on their line and can be given back", async (_, ripgrep) => {
  using workspace = openWorkspace()
  workspace.put('a\nb "c".txt', "x marks")
  workspace.put("-e.txt", "x marks")
  workspace.put("größe.txt", "x marks")
  expect(await find(workspace, { pattern: "x" }, ripgrep)).toBe(
    '-e.txt:1: x marks\n"a\\nb \\"c\\".txt":1: x marks\ngröße.txt:1: x marks',
  )
  expect(await find(workspace, { pattern: "x", path: "-e.txt" }, ripgrep)).toBe("-e.txt:1: x marks")
})

test.each(searchers)(
  "%s shows the place of a match in a long line, and cuts the rest",
  async (_, ripgrep) => {
    using workspace = openWorkspace()
    workspace.put("min.js", `${"é".repeat(5_000)}needle${"y".repeat(200_000)}\n`)
    const said = await find(workspace, { pattern: "needle" }, ripgrep)
    expect(said).toMatch(/^min\.js:1: …é{50,}needley{50,}…$/)
    expect(said.length).toBeLessThan(350)
  },
)

test.each([
  ["a(b", 2, "a ( without its )"],
  ["a)", 2, "a ) without its ("],
  ["[abc", 1, "a [ without its ]"],
  ["a**b+?|*", 8, "a * that repeats nothing; write \\* for the character"],
  ["(?<=a)b", 1, "look-around, which is not supported"],
  ["(a)\\1", 4, "a back-reference, which is not supported"],
  ["a\\nb", 2, "a line break; a match is within one line"],
  ["\\p{Klingonese}", 1, 'there is no property "Klingonese"'],
  ["[z-a]", 2, "a range that is none"],
  ["x{5,2}", 2, "a repetition from more to less"],
  ["ab\\", 3, "a \\ at the end"],
  [`${"(".repeat(500)}a`, 101, "groups too deep in each other"],
] as const)("the pattern %p is refused with the place, %d", async (pattern, place, why) => {
  using workspace = project()
  await expect(find(workspace, { pattern }, rg)).rejects.toThrow(
    `The pattern is wrong at character ${place}: ${why}.`,
  )
})

test.each(searchers)("%s takes patterns as people write them", async (_, ripgrep) => {
  using workspace = openWorkspace()
  const text = "var x interface{}\nif a && b { return }\npath := a/b\na-b [c] it's\n\tindented\n"
  workspace.put("a.go", text)
  const expected: [string, number][] = [
    ["interface{}", 1],
    ["{ return }", 2],
    ["a\\/b", 3],
    ["[[]c", 4],
    ["it\\'s", 4],
    ["a\\-b", 4],
    ["inter\\Bface", 1],
    ["^[^ a&&b]", 1],
    ["^\\t\\w", 5],
    ["(?P<n>var) (?:x)", 1],
  ]
  for (const [pattern, line] of expected) {
    const said = await find(workspace, { pattern, limit: 1 }, ripgrep)
    expect([pattern, said.split(":")[1]]).toEqual([pattern, `${line}`])
  }
})

test.each(searchers)(
  "%s: letters have all their cases, and a carriage return is in no match",
  async (_, ripgrep) => {
    using workspace = openWorkspace()
    workspace.put("a.txt", "\u03c2\n\u212a\n\u017f\n\u0131\n\u1e9e\none\rtwo\nthree\r\n")
    const linesOf = async (pattern: string) =>
      [...(await find(workspace, { pattern }, ripgrep)).matchAll(/^a\.txt:(\d+)/gm)].map(([, line]) =>
        Number(line),
      )
    const expected: [string, number[]][] = [
      ["(?i)\u03a3", [1]],
      ["(?i)k", [2]],
      ["(?i)^[r-t]$", [3]],
      ["(?i)i", []],
      ["(?i)\u00df", [5]],
      ["e.t", []],
      ["one[^a]", []],
      ["one\\W", []],
      ["one\\r", []],
      ["three$", [7]],
    ]
    for (const [pattern, lines] of expected)
      expect([pattern, await linesOf(pattern)]).toEqual([pattern, lines])
  },
)

test("no pattern stops the gateway or costs more than the text is long", async () => {
  using workspace = openWorkspace()
  workspace.put("a.txt", `${"a".repeat(1 << 18)}!`)
  for (const pattern of ["(a+)+$", "(a*)*b", "(a|a)*b", "a*a*a*a*a*a*b", "(x+x+)+y|(a|aa)+$", "(.*a){20}b"]) {
    let gap = Number.POSITIVE_INFINITY
    // Others on the machine make a pause of their own.
    for (let i = 0; i < 3 && gap > 200; i++) {
      let last = performance.now()
      gap = 0
      const timer = setInterval(() => {
        gap = Math.max(gap, performance.now() - last)
        last = performance.now()
      }, 1)
      const cpu_ms = await cpuOf(async () =>
        expect([pattern, await find(workspace, { pattern })]).toEqual([pattern, "No line matches."]),
      )
      clearInterval(timer)
      expect(cpu_ms).toBeLessThan(5_000)
    }
    expect(gap).toBeLessThan(200)
  }
})

test("a search that is stopped ends soon, whatever it is at, and leaves no descriptor", async () => {
  using workspace = openWorkspace()
  // Nearly every letter makes a new state of the machine: the slowest there is.
  const letters = Array.from({ length: 1 << 20 }, (_, i) => ((i * 2_654_435_761) & 65_536 ? "a" : "b"))
  workspace.put("deep/er/a.txt", letters.join(""))
  const descriptors = () => readdirSync("/proc/self/fd").length
  await find(workspace, { glob: "*" })
  const before = descriptors()
  const stop = new AbortController()
  const context = { ...workspace.context, signal: stop.signal }
  const running = search(searchFiles.parse({ pattern: "(a|b)*a(a|b){900}c" }), context, undefined)
  setTimeout(() => stop.abort(new Error("enough")), 200)
  const begun = performance.now()
  await expect(running).rejects.toThrow("enough")
  expect(performance.now() - begun).toBeLessThan(1_500)
  expect(descriptors()).toBe(before)
})

test("a file of any length is searched in pieces, a line of any length in one", async () => {
  using workspace = openWorkspace()
  const lines = Array.from({ length: 400_000 }, (_, i) => `line ${i} of many`)
  workspace.put("long.txt", lines.join("\n"))
  workspace.put("wide.txt", `begin ${"x".repeat(3_000_000)} end\nnext begin\n`)
  expect(await find(workspace, { pattern: "^line (1|399999) of many$" })).toBe(
    "long.txt:2: line 1 of many\nlong.txt:400000: line 399999 of many",
  )
  const said = await find(workspace, { pattern: "^begin.*end$|^next" })
  expect(said.split("\n").map((row) => row.slice(0, 20))).toEqual([
    "wide.txt:1: …xxxxxxx",
    "wide.txt:2: next beg",
  ])
})

test("texts in UTF-16 and with a byte order mark are searched, too", async () => {
  using workspace = openWorkspace()
  workspace.put("le.txt", Buffer.from("\ufeffgröße\nnext\n", "utf16le"))
  workspace.put("be.txt", Buffer.from("\ufeffgröße\nnext\n", "utf16le").swap16())
  workspace.put("utf8.txt", "\ufeffgröße\nnext\n")
  const expected = ["be", "le", "utf8"].map((name) => `${name}.txt:1: größe`).join("\n")
  for (const [, ripgrep] of searchers)
    expect(await find(workspace, { pattern: "^größe" }, ripgrep)).toBe(expected)
})

test("what is wrong with a glob is said, and no pattern or glob is slow to check", async () => {
  using workspace = project()
  await expect(find(workspace, { glob: "*.{ts,js" })).rejects.toThrow("a { without its }")
  const patterns = ["(?i)\\w\\W", "[\\p{L}\\P{N}]", "((((a", "[[[[", "a{1,2}", "\\p{Lu}(?i)"].map((part) =>
    part.repeat(150),
  )
  const globs = ["{{{{", "[[[[", "**/", "{a,", "*a?"].map((part) => part.repeat(125))
  for (const input of [...patterns.map((pattern) => ({ pattern })), ...globs.map((glob) => ({ glob }))]) {
    // Only what is done before the thread begins.
    const cpu_ms = await cpuOf(() => expect(find(workspace, { ...input, path: "nowhere" })).rejects.toThrow())
    expect(cpu_ms).toBeLessThan(500)
  }
})

test("many rules in .gitignore files below each other take little room and time", async () => {
  using workspace = openWorkspace()
  const rules = Array.from({ length: 5_000 }, (_, i) => `*a?${i.toString(36)}????????????b`).join("\n")
  for (let depth = 1; depth <= 5; depth++) {
    workspace.put(`${"d/".repeat(depth)}.gitignore`, rules)
    workspace.put(`${"d/".repeat(depth)}aaaabaaabab.txt`, "x")
  }
  Bun.gc(true)
  const before = process.memoryUsage().rss
  let highest = 0
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss)
  }, 10)
  expect((await find(workspace, { glob: "*.txt" })).split("\n").length).toBe(5)
  clearInterval(timer)
  expect(highest - before).toBeLessThan(250e6)
})

test.each(searchers)("%s: what is too deep is not passed over in silence", async (_, ripgrep) => {
  using workspace = openWorkspace()
  workspace.put(`${"d/".repeat(250)}deep.txt`, "needle")
  const said = await find(workspace, { pattern: "needle" }, ripgrep)
  expect(said).toMatch(/deep\.txt:1: needle$|^No line matches\.\n\[something could not be read/)
})

test("several threads find together what one finds", async () => {
  using workspace = project()
  using opened = await workspace.context.files.open(".")
  const filesOf = async (index: number, of: number) => {
    const job = { fd: opened.fd, prefix: "", pattern: "needle", lines_max: 9, share: { index, of } }
    const found: string[] = []
    for await (const hits of searchInThread(job, workspace.context.signal)) {
      found.push(...hits.map(({ path }) => path))
    }
    return found
  }
  const shares = await Promise.all([0, 1, 2].map((index) => filesOf(index, 3)))
  expect(shares.flat().sort()).toEqual((await filesOf(0, 1)).sort())
  expect(shares.filter((share) => share.length > 0).length).toBeGreaterThan(1)
})

test("a pattern that is too large is refused, not tried", async () => {
  using workspace = project()
  await expect(find(workspace, { pattern: "((a{100}){100}){100}" })).rejects.toThrow("too large")
})

test.each([
  ["the sandbox is off", "off", undefined],
  ["nothing can put walls up", "prefer", { missing: "nothing here" }],
] as const)("where %s, ripgrep is not run", async (_, mode, launcher) => {
  using workspace = project()
  using elsewhere = openWorkspace()
  elsewhere.put("rg", "#!/bin/sh\ntouch ran\n")
  const ripgrep = join(elsewhere.folder, "rg")
  chmodSync(ripgrep, 0o755)
  const policy = { mode, workspace: workspace.folder, read: [], write: [], network: [] }
  const limits = { memory_bytes_max: 1 << 30, processes_max: 64, file_bytes_max: 1 << 20 }
  await using sandbox = openSandbox({
    ...{ policy, limits, run_folder: join(elsewhere.folder, "run"), env: {} },
    ...(launcher && { launcher }),
  })
  const context = { ...workspace.context, execute: sandbox.execute }
  const said = await search(searchFiles.parse({ pattern: "other" }), context, ripgrep)
  expect(said).toBe("src/app.ts:2: const other = 2")
  expect(readdirSync(workspace.folder)).not.toContain("ran")
})

test("of what ripgrep says only as much is read as is needed, and what was cut out of it does no harm", async () => {
  const row = (type: string, path: string, more: object) =>
    JSON.stringify({ type, data: { path: { text: path }, ...more } })
  const match = (path: string, line_number: number) =>
    row("match", path, {
      lines: { text: `${path} ${line_number}\n` },
      line_number,
      submatches: [{ start: 0 }],
    })
  const rows = [
    ...[match("a", 1), '{"type":"ma', match("b", 2), row("end", "b", { binary_offset: null })],
    ...[match("c", 3), row("end", "c", { binary_offset: 7 })],
    ...Array.from({ length: 100_000 }, (_, i) => [
      match(`d${i}`, 4),
      row("end", `d${i}`, { binary_offset: null }),
    ]),
  ]
  using workspace = openWorkspace()
  const done = await workspace.context.execute({
    ...{ argv: ["/bin/true"], timeout_ms: 10_000, output_bytes_max: 1, signal: workspace.context.signal },
  })
  const stdout = rows.flat().join("\n")
  const execute: Execute = async () => ({ ...done, stdout, stdout_bytes: stdout.length })
  const context = { ...workspace.context, execute }
  let said = ""
  const cpu_ms = await cpuOf(async () => {
    said = await search(searchFiles.parse({ pattern: "x", limit: 2 }), context, "/usr/bin/rg")
  })
  expect(cpu_ms).toBeLessThan(500)
  expect(said.split("\n").slice(0, 2)).toEqual(["b:2: b 2", "d0:4: d0 4"])
})

test("where ripgrep may not run, the search goes on without it", async () => {
  using workspace = project()
  const execute = () => Promise.reject(new ToolDenied("The walls that the policy requires are missing."))
  const context = { ...workspace.context, execute }
  const said = await search(searchFiles.parse({ pattern: "other" }), context, "/usr/bin/rg")
  expect(said).toBe("src/app.ts:2: const other = 2")
})

needs({ root: true, command: "unshare" })("what the kernel shows as files is not searched", async () => {
  using workspace = openWorkspace()
  workspace.put("proc/empty", "")
  workspace.put("a.txt", "Name:\t")
  const script = `
    import { openSync } from "node:fs"
    import { runJob } from "${import.meta.dir}/../../src/tools/search/job.ts"
    const job = { fd: openSync(".", 0), prefix: "", pattern: "Name:", lines_max: 9, share: { index: 0, of: 1 }, stop: new SharedArrayBuffer(4) }
    runJob(job, (report) => report.type === "hits" && console.log(report.hits.map(({ path }) => path).join()))
  `
  const mounted = ["sh", "-c", 'mount -t proc proc proc && exec "$0" -e "$1"', process.execPath, script]
  const child = Bun.spawn(["unshare", "-m", ...mounted], {
    cwd: workspace.folder,
    env: { PATH: process.env.PATH },
    stdout: "pipe",
  })
  expect(await new Response(child.stdout).text()).toBe("a.txt\n")
})

/** What stands around a program here, or nothing where none can be had. */
async function openWalls(workspace: string, run_folder: string) {
  const limits = { memory_bytes_max: 1 << 30, processes_max: 64, file_bytes_max: 1 << 20 }
  const policy = { mode: "prefer" as const, workspace, read: [], write: [], network: [] }
  return openSandbox({ policy, limits, run_folder, env: { PATH: process.env.PATH } })
}

async function missingHere(): Promise<string[]> {
  if (!rg) return ["rg"]
  using workspace = openWorkspace()
  using elsewhere = openWorkspace()
  await using sandbox = await openWalls(workspace.folder, join(elsewhere.folder, "run"))
  const { missing } = await sandbox.check()
  return missing.some(({ wall }) => wall === "landlock") ? ["landlock"] : []
}
const missing_here = await missingHere()
const name = "behind the walls ripgrep finds what our own walk finds, and its answer is taken"
const behindWalls = missing_here.length === 0 ? test : test.skip
behindWalls(missing_here.length === 0 ? name : `${name} (needs ${missing_here.join()})`, async () => {
  using workspace = project()
  using elsewhere = openWorkspace()
  await using sandbox = await openWalls(workspace.folder, join(elsewhere.folder, "run"))
  const runs: Executed[] = []
  const execute: Execute = async (program) => {
    const done = await sandbox.execute(program)
    runs.push(done)
    return done
  }
  const context = { ...workspace.context, execute }
  for (const input of [{ pattern: "needle" }, { pattern: "\\w+$", path: "src" }, { glob: "*.ts" }]) {
    const said = await search(searchFiles.parse({ ...input }), context, rg)
    expect(said).toBe(await find(workspace, input))
  }
  expect(runs.map(({ exit_code, missing }) => [exit_code, missing.includes("landlock")])).toEqual([
    [0, false],
    [0, false],
    [0, false],
  ])
})

needs({ root: true, command: "setpriv" })("what may not be read is left out, and counted", async () => {
  using workspace = project()
  workspace.put("shut/file.txt", "other")
  // A gateway that ran in this process before has left it an umask of its own.
  Bun.spawnSync(["chmod", "-R", "a+rX", workspace.folder])
  chmodSync(join(workspace.folder, "shut"), 0)
  // Root reads everything, so somebody else has to try.
  const script = `
    import { openSync } from "node:fs"
    import { runJob } from "${import.meta.dir}/../../src/tools/search/job.ts"
    const job = { fd: openSync(".", 0), prefix: "", pattern: "other", lines_max: 9, share: { index: 0, of: 1 }, stop: new SharedArrayBuffer(4) }
    runJob(job, (report) => console.log(JSON.stringify(report)))
  `
  const child = Bun.spawn(
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, "-e", script],
    {
      cwd: workspace.folder,
      env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
      stdout: "pipe",
      stderr: "pipe",
    },
  )
  const [said, failed] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect([said.split("\n").slice(0, 2), failed]).toEqual([
    [
      '{"type":"hits","hits":[{"path":"src/app.ts","lines":[{"line":2,"text":"const other = 2"}]}]}',
      '{"type":"done","counts":{"files":7,"unreadable":1}}',
    ],
    "",
  ])
})

const word = fc.constantFrom(
  "ab",
  "a",
  "b",
  "",
  " ",
  "foo",
  "Foo",
  "_1",
  "é",
  "ß",
  "ς",
  "K",
  "\u{1f600}",
  "x.y",
)
const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(""))
const file_name = fc.constantFrom("a", "b.ts", "c.log", "foo", ".hidden", "é.md", "a b.txt", "Foo.TS")
const folder = fc.constantFrom("", "src/", "src/deep/", "lib/", "bar/", ".x/")
const tree = fc.uniqueArray(
  fc.record({
    folder,
    name: file_name,
    lines: fc.array(line, { maxLength: 5 }),
    ending: fc.constantFrom("\n", "", "\r\n"),
  }),
  { minLength: 1, maxLength: 8, selector: (file) => file.folder + file.name },
)
const rule = fc.constantFrom(
  "*.log",
  "foo",
  "bar/",
  "/src",
  "!b.ts",
  "src/deep",
  "**/deep/*.ts",
  "a*",
  "[a-c].*",
  "#no",
  "deep/**",
  "!*.md",
  "*",
  "  ",
  "foo/",
)
const atom = fc.constantFrom(
  ...[
    "a",
    "b",
    "foo",
    ".",
    "\\w",
    "\\W",
    "\\d",
    "\\s",
    "[a-f]",
    "[^a]",
    "é",
    "(?i:foo)",
    "(?i:[σk])",
    "\\D",
    "\\p{L}",
    "x\\.y",
  ],
)
const count = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}")
const repeated = fc.tuple(atom, count).map((parts) => parts.join(""))
const joined = (of: fc.Arbitrary<string>) =>
  fc.array(of, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""))
// Not beside each other: ripgrep 13 finds no edge of a word at the beginning of a later line. And it finds a place that
// is none between the two letters of a CRLF.
const with_edges = joined(fc.oneof(repeated, repeated, fc.constant("\\b")))
const anchored = fc
  .tuple(fc.constantFrom("^", ""), joined(repeated), fc.constantFrom("$", ""))
  .map((parts) => parts.join(""))
const choice = fc.oneof(with_edges, anchored)
const pattern = fc.array(choice, { minLength: 1, maxLength: 2 }).map((choices) => choices.join("|"))
const glob = fc.constantFrom("*.ts", "*.{ts,log}", "src/**", "**/foo", "?", "*.[a-z]*", "deep/*", "a*")

needs({ command: "rg" })(
  "our own walk agrees with ripgrep on any tree, pattern, glob and .gitignore",
  async () => {
    const rules = fc.array(rule, { maxLength: 4 })
    const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })
    const property = fc.asyncProperty(
      tree,
      optional(pattern),
      optional(glob),
      rules,
      rules,
      async (files, pattern, glob, top, below) => {
        using workspace = openWorkspace()
        for (const { folder, name, lines, ending } of files) {
          workspace.put(folder + name, lines.join(ending || "\n") + ending)
        }
        workspace.put(".gitignore", top.join("\n"))
        workspace.put("src/.gitignore", below.join("\n"))
        const input: Input = { limit: 1_000 }
        if (pattern !== undefined) input.pattern = pattern
        if (glob !== undefined || pattern === undefined) input.glob = glob ?? "*"
        expect(await find(workspace, input)).toBe(await find(workspace, input, rg))
      },
    )
    await fc.assert(property, { numRuns: 60 })
  },
  120_000,
)
