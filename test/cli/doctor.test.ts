/** What `weft doctor` finds, and that it changes nothing unless it is told to. */
import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import type { Finding } from "../../src/cli/doctor/finding.ts"
import { startGateway, temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { main_path, weft } from "./weft.ts"

type Report = { ok: boolean; checks: Finding[]; exit: number; lines: string }

async function examine(home: string, ...flags: string[]): Promise<Report> {
  const { stdout, exit } = await weft(["doctor", "--json", "--home", home, ...flags])
  const report = JSON.parse(stdout) as Report
  return { ...report, exit, lines: report.checks.map((check) => Object.values(check).join(" | ")).join("\n") }
}

const failed = ({ checks }: Report) => checks.filter(({ level }) => level === "fail").map(({ what }) => what)

/** The names, modes, owners, times and contents of all that is in a folder. */
const snapshot = (folder: string) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .sort()
    .map((name) => {
      const stat = lstatSync(join(folder, name))
      const text = stat.isFile() ? Bun.hash(readFileSync(join(folder, name))) : 0
      return [name, stat.mode, stat.uid, stat.mtimeMs, text]
    })

/** A home that a gateway was stopped on. */
async function usedHome() {
  const folder = await temporaryFolder()
  const home = join(folder.path, "home")
  mkdirSync(home, { mode: 0o700 })
  await using gateway = await startGateway({ home, config: "[gateway]\n" })
  await gateway.stop("now")
  chmodSync(join(home, "config.toml"), 0o600)
  return { ...folder, home }
}

test("without a home all that can be looked at is, in lines, and none is made", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "none")
  const { stdout, stderr, exit } = await weft(["doctor", "--home", home])
  expect({ stderr, exit }).toEqual({ stderr: "", exit: 0 })
  for (const line of stdout.trimEnd().split("\n")) expect(line).toMatch(/^(ok {2}|warn) {2}[^:]+: .+/)
  for (const what of ["program", "home", "configuration", "native library", "ripgrep"]) {
    expect(stdout).toContain(`  ${what}: `)
  }
  expect(stdout).toContain("→ set ANTHROPIC_API_KEY")
  expect(existsSync(home)).toBe(false)
  expect(readdirSync(folder.path)).toEqual([])
})

test("a home as a gateway leaves it is well, and looking changes nothing of it", async () => {
  await using used = await usedHome()
  const before = snapshot(used.home)
  const report = await examine(used.home)
  expect(failed(report)).toEqual([])
  expect(report).toMatchObject({ ok: true, exit: 0 })
  for (const line of ["home | ok", "none runs", "read through, whole"]) expect(report.lines).toContain(line)
  expect(report.lines).not.toContain("others may")
  expect(snapshot(used.home)).toEqual(before)
})

test("a running gateway is found and left in peace", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "home")
  await using gateway = await startGateway({ home })
  const report = await examine(home)
  expect(failed(report)).toEqual([])
  expect(report.lines).toContain(`process ${process.pid} runs at ${gateway.url}`)
  expect(report.lines).toContain("in use")
})

test("a gateway that has the home but does not answer fails", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "home")
  await using _gateway = await startGateway({ home })
  await using mute = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } })
  const url = `http://127.0.0.1:${mute.port}`
  writeFileSync(join(home, "gateway.json"), JSON.stringify({ pid: process.pid, url }))
  const report = await examine(home)
  expect(failed(report)).toEqual(["gateway"])
  expect(report.lines).toContain(url)
})

test("the log of a gateway that was killed is left to the next start", async () => {
  await using used = await usedHome()
  const path = join(used.home, "weft.db")
  const db = new Database(path)
  db.run("PRAGMA journal_mode = WAL; CREATE TABLE later (x);")
  const copied = ["weft.db", "weft.db-wal"].map(
    (name) => [name, readFileSync(join(used.home, name))] as const,
  )
  db.close()
  for (const [name, bytes] of copied) writeFileSync(join(used.home, name), bytes, { mode: 0o600 })
  const before = snapshot(used.home)
  const report = await examine(used.home)
  expect(report.lines).toContain("the last gateway was killed")
  expect(failed(report)).toEqual([])
  expect(snapshot(used.home)).toEqual(before)
})

test("what others may use is said, and taken from them by --fix only", async () => {
  await using used = await usedHome()
  const { home } = used
  mkdirSync(join(home, "credentials"))
  writeFileSync(join(home, "credentials/openai.key"), "sk-1")
  writeFileSync(join(home, "notes.txt"), "somebody's own")
  const outside = join(used.path, "outside")
  writeFileSync(outside, "somebody else's")
  symlinkSync(outside, join(home, "weft.db.bak"))
  const loose = { ".": 0o755, token: 0o640, "weft.db": 0o666, credentials: 0o755, "notes.txt": 0o644 }
  const other = { "credentials/openai.key": 0o644, "../outside": 0o644 }
  for (const [name, mode] of Object.entries({ ...loose, ...other })) chmodSync(join(home, name), mode)
  const before = snapshot(used.path)
  const report = await examine(home)
  expect(snapshot(used.path)).toEqual(before)
  expect(failed(report)).toEqual(["files of the home"])
  expect(report).toMatchObject({ ok: false, exit: 1 })
  for (const name of [
    "token (0640)",
    "weft.db (0666)",
    "credentials (0755)",
    "credentials/openai.key (0644)",
  ]) {
    expect(report.lines).toContain(name)
  }
  expect(report.lines).toContain("weft doctor --fix")

  const fixed = await examine(home, "--fix")
  expect({ failed: failed(fixed), ok: fixed.ok, exit: fixed.exit }).toEqual({ failed: [], ok: true, exit: 0 })
  const modes = [
    ".",
    "token",
    "weft.db",
    "credentials",
    "credentials/openai.key",
    "notes.txt",
    "../outside",
  ].map((name) => statSync(join(home, name)).mode & 0o777)
  expect(modes).toEqual([0o700, 0o600, 0o600, 0o700, 0o600, 0o644, 0o644])
  expect((await examine(home)).lines).not.toContain("others may")
})

test("behind a closed folder a loose file is no more than a warning", async () => {
  await using used = await usedHome()
  chmodSync(join(used.home, "token"), 0o644)
  const report = await examine(used.home)
  expect(report.lines).toContain("warn | others may use token (0644)")
  expect(report.exit).toBe(0)
})

test("a folder that is no home is not closed to others", async () => {
  await using folder = await temporaryFolder()
  const shared = join(folder.path, "shared")
  mkdirSync(shared)
  writeFileSync(join(shared, "letter.txt"), "")
  chmodSync(shared, 0o755)
  await examine(shared, "--fix")
  expect(statSync(shared).mode & 0o777).toBe(0o755)
})

test.each([
  ["not TOML", "[agent", "configuration", /config\.toml:1:\d+: expected TOML/],
  [
    "a word for a number",
    '[agent]\nmax_tokens = "x"\n',
    "configuration",
    /config\.toml:2:\d+: agent\.max_tokens/,
  ],
  [
    "a secret that is not there",
    '[agent]\napi_key = { env = "NO_SUCH_KEY" }\n',
    "configuration",
    /NO_SUCH_KEY/,
  ],
  ["a provider without a key", '[agent]\nprovider = "openai"\n', "agent default", /OPENAI_API_KEY/],
])(
  "a configuration with %s fails with its place or its remedy, and the rest is looked at",
  async (_, text, what, told) => {
    await using used = await usedHome()
    writeFileSync(join(used.home, "config.toml"), text)
    const report = await examine(used.home)
    expect(failed(report)).toEqual([what])
    expect(report.exit).toBe(1)
    expect(report.lines).toMatch(told)
    expect(report.lines).toContain("native library")
  },
)

test("a configuration's warnings and providers without keys are warnings here", async () => {
  await using used = await usedHome()
  writeFileSync(join(used.home, "config.toml"), "[providers.mistral]\n[budgets]\ndaily = 1\n", {
    mode: 0o600,
  })
  const report = await examine(used.home)
  expect(report.exit).toBe(0)
  expect(report.lines).toContain("configuration | warn | budgets")
  expect(report.lines).toContain("provider mistral | warn | no key was found | set MISTRAL_API_KEY")
})

test.each([
  ["not a database", (path: string) => writeFileSync(path, "x".repeat(10_000)), /damaged/],
  ["cut in half", (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 9_000)), /damaged/],
  [
    "overwritten in its middle",
    (path: string) => {
      const bytes = readFileSync(path)
      writeFileSync(path, bytes.fill(0x5a, 8192, 40_000))
    },
    /damaged/,
  ],
  [
    "of a newer version",
    (path: string) => {
      using db = new Database(path)
      db.run("PRAGMA user_version = 999")
    },
    /newer version/,
  ],
])("a database that is %s fails and is left as it is", async (_, spoil, told) => {
  await using used = await usedHome()
  spoil(join(used.home, "weft.db"))
  const before = snapshot(used.home)
  const report = await examine(used.home)
  expect(failed(report)).toEqual(["database"])
  expect(report.lines).toMatch(told)
  expect(snapshot(used.home)).toEqual(before)
})

test("a home that is a file fails", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "file")
  writeFileSync(home, "")
  const report = await examine(home)
  expect(failed(report)[0]).toBe("home")
  expect(report.lines).toContain("is no folder")
})

needs({ root: true })(
  "files of another user than the home's are said, and not touched by --fix",
  async () => {
    await using used = await usedHome()
    const path = join(used.home, "token")
    chownSync(path, 65534, 65534)
    chmodSync(path, 0o644)
    const report = await examine(used.home, "--fix")
    expect(failed(report)).toEqual(["files of the home"])
    expect(report.lines).toContain("token (user 65534)")
    expect(statSync(path).mode & 0o777).toBe(0o644)
  },
)

needs({ root: true, command: "setpriv" })("whoever may not read the home is told so", async () => {
  await using used = await usedHome()
  chmodSync(used.path, 0o755)
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  const command = [process.execPath, main_path, "doctor", "--json", "--home", used.home]
  const child = Bun.spawn([...nobody, ...command], { cwd: "/", env: { PATH: process.env.PATH } })
  const report = JSON.parse(await new Response(child.stdout).text()) as Report
  expect(await child.exited).toBe(1)
  expect(report.checks.find(({ what }) => what === "home")).toMatchObject({
    level: "fail",
    remedy: "run it as the user whose home it is",
  })
})

const three_agents = `
[agent]
tools = ["*"]
sandbox = { mode = "require" }
[[agents]]
id = "own"
tools = ["exec"]
[[agents]]
id = "free"
tools = ["exec"]
sandbox = { mode = "off" }
[[agents]]
id = "reader"
tools = ["read_file"]
`

needs({ platform: "linux", command: ["unshare", "setpriv"], file: "native/build/sandbox" })(
  "what this system cannot enforce is said, and what it means for each agent",
  async () => {
    await using folder = await temporaryFolder()
    writeFileSync(join(folder.path, "config.toml"), three_agents)
    // A user namespace in which no further one can be made, without a capability: much like a container.
    const forbid = "echo 0 > /proc/sys/user/max_user_namespaces"
    const drop = "exec setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all"
    const bare = [
      ...["unshare", "-U", "--map-user=0", "--map-group=0", "--keep-caps"],
      ...["/bin/sh", "-c", `${forbid} && ${drop} "$0" "$@"`],
    ]
    const command = [process.execPath, main_path, "doctor", "--json", "--home", folder.path]
    const child = Bun.spawn([...bare, ...command], { env: process.env })
    const { checks } = JSON.parse(await new Response(child.stdout).text()) as Report
    expect(await child.exited).toBe(1)
    const found = (what: string) => checks.find((check) => check.what === what)
    const missing = checks.filter(({ what }) => what.startsWith("wall "))
    expect(missing).not.toEqual([])
    for (const { what, level, remedy } of missing) {
      expect({ level, remedy }).toEqual({ level: "warn", remedy: expect.any(String) })
      for (const agent of ["default", "own"]) {
        expect(found(`agent ${agent}, programs`)?.detail).toContain(what.replace("wall ", ""))
      }
    }
    const levels = ["default", "own", "free", "reader"].map((id) => found(`agent ${id}, programs`)?.level)
    expect(levels).toEqual(["fail", "warn", "warn", "ok"])
  },
)
