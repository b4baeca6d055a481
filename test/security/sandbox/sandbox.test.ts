import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { walls } from "../../../src/kernel/walls.ts"
import { isWithin } from "../../../src/security/sandbox/environment.ts"
import type { Program } from "../../../src/security/sandbox/execute.ts"
import { openSandbox } from "../../../src/security/sandbox/sandbox.ts"
import { type Box, type Change, helper, is_root, openBox, sh, variants, walled } from "./box.ts"

const [here, bare] = variants

/** One program in a sandbox of this process. */
async function run(box: Box, program: Partial<Program>, change?: Change) {
  await using sandbox = openSandbox(box.options(change))
  const usual = { argv: ["/bin/true"], timeout_ms: 20_000, output_bytes_max: 65_536 }
  return await sandbox.execute({ ...usual, signal: new AbortController().signal, ...program })
}

walled("all walls hold where the system grants namespaces, for root and for others", async () => {
  for (const variant of variants.filter((one) => !one.bare)) {
    await using box = await openBox(variant)
    const { answers, checked } = await box.run([sh("id -u")], { mode: "require" })
    expect(checked).toEqual({ holds: [...walls], missing: [] })
    expect(answers[0]).toMatchObject({ exit_code: 0, stdout: `${variant.user}\n`, missing: [] })
  }
})

walled("without namespaces an ordinary user still has all walls, where they are required", async () => {
  for (const variant of variants.filter((one) => one.bare && one.user !== 0)) {
    await using box = await openBox(variant)
    const { answers, checked } = await box.run([sh("id -u")], { mode: "require" })
    expect(checked).toEqual({ holds: [...walls], missing: [] })
    expect(answers[0]).toMatchObject({ exit_code: 0, stdout: `${variant.user}\n`, missing: [] })
    const preferred = await box.run([sh("id -u")])
    expect(preferred.answers[0]).toMatchObject({ exit_code: 0, missing: ["landlock"] })
  }
})

if (is_root) {
  walled("what keeps a root without capabilities from a tree of its own is said", async () => {
    await using box = await openBox(here!)
    const argv = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", helper]
    const { checked } = await box.run([], { launcher: { argv, kind: "helper" } })
    // Before Linux 5.12 it may name itself in a namespace of users.
    const expected = { wall: "landlock" as const, why: "names of processes, mounts: EPERM" }
    if (checked.missing.length > 0) expect(checked.missing).toEqual([expected])
    expect(checked.holds.length + checked.missing.length).toBe(walls.length)
  })
}

walled("modes and times of granted files are changed, with namespaces and without", async () => {
  const script = `
    set -e; mkdir d; echo x > d/f; ln -s d link; ln -s f d/to; cd d
    chmod 751 f; stat -c %a f; chmod 640 ../link/to; stat -c %a f; chmod 700 .; stat -c %a .; chmod u+x "$PWD/f"; stat -c %a f
    touch -d 2001-02-03T04:05:06Z f; stat -c %Y f; touch -h -d 2001-02-03T04:05:07Z to; stat -c %Y to f
    install -m 755 f g; stat -c %a g; cp -p f h; stat -c '%a %Y' h; touch "$TMPDIR/t"; chmod 711 "$TMPDIR/t"; stat -c %a "$TMPDIR/t"
    (sleep 0.1; chmod 600 h) & wait; stat -c %a h; ! chmod 600 nothing 2>&-; ! touch -d 2001-01-01 nowhere/x 2>&-; echo done`
  for (const variant of variants) {
    await using box = await openBox(variant)
    const mode = variant.bare && variant.user === 0 ? "prefer" : "require"
    const { answers } = await box.run([sh(script)], { mode })
    const { stdout, stderr, exit_code } = answers[0]!
    expect([exit_code, stderr]).toEqual([0, ""])
    expect(stdout.trim().split("\n")).toEqual([
      ...[
        "751",
        "640",
        "700",
        "740",
        "981173106",
        "981173107",
        "981173106",
        "755",
        "740 981173106",
        "711",
        "600",
        "done",
      ],
    ])
  }
})

const change_network = { policy: { network: ["api.example.com"] } }

walled("where a wall is missing nothing runs that requires it, and the rest runs and says so", async () => {
  await using box = await openBox(bare!)
  const required = await box.run([sh("touch made")], { mode: "require", ...change_network })
  expect(required.answers[0]).toMatchObject({ error: "ToolDenied" })
  expect(required.answers[0]!.message).toMatch(/^Nothing was run: .*network \(network namespace: EPERM\)/)
  expect(readdirSync(box.workspace)).toEqual([])
  expect(required.checked.missing.map(({ wall }) => wall)).toContain("network")
  const preferred = await box.run([sh("touch made")], change_network)
  expect(preferred.answers[0]).toMatchObject({ exit_code: 0 })
  expect(preferred.answers[0]!.missing).toContain("network")
  expect(readdirSync(box.workspace)).toEqual(["made"])
})

test("where programs cannot be shut in, nothing that requires it runs, and the reason is said", async () => {
  await using box = await openBox(here!)
  const launcher = { missing: "programs can be shut in on Linux only; this system is plan9" }
  const failed = run(box, sh("touch made"), { mode: "require", launcher })
  await expect(failed).rejects.toMatchObject({
    name: "ToolDenied",
    message: expect.stringContaining("plan9"),
  })
  expect(readdirSync(box.workspace)).toEqual([])
  const done = await run(box, sh("echo $HOME; pwd"), { launcher })
  expect(done).toMatchObject({
    exit_code: 0,
    stdout: `${box.workspace}\n${box.workspace}\n`,
    missing: [...walls],
  })
  await using sandbox = openSandbox(box.options({ launcher }))
  const { holds, missing } = await sandbox.check()
  expect([holds, missing.length, missing[0]!.why]).toEqual([[], walls.length, launcher.missing])
})

test("switched off, a program runs without walls, and its group still ends with it", async () => {
  await using box = await openBox(here!)
  const word = `1000.${process.pid}`
  const done = await run(box, sh(`sleep ${word} & echo $!; exit 4`), { mode: "off" })
  expect(done).toMatchObject({ exit_code: 4, missing: [...walls] })
  const late = await run(box, { ...sh(`sleep ${word}`), timeout_ms: 100 }, { mode: "off" })
  expect(late).toMatchObject({ timed_out: true, exceeded: "time", signal: "SIGKILL" })
})

walled("a program gets the clean environment and three descriptors, and nothing else", async () => {
  const secrets = {
    OPENAI_API_KEY: "sk-1",
    LD_PRELOAD: "/tmp/x.so",
    BASH_ENV: "/tmp/x",
    NODE_OPTIONS: "--require x",
    BUN_OPTIONS: "--preload x",
    PYTHONSTARTUP: "/tmp/x",
    GIT_SSH_COMMAND: "x",
    HTTPS_PROXY: "http://example.com",
    SSH_AUTH_SOCK: "/tmp/agent",
    "BASH_FUNC_ls%%": "() { :; }",
    LANG: "de_DE.UTF-8",
    LC_TIME: "C\u001b[2J",
    HOME: "/home/x",
  }
  for (const variant of variants) {
    await using box = await openBox(variant)
    const listed = { argv: ["/bin/ls", "/proc/self/fd"] }
    const { answers } = await box.run([{ argv: ["/usr/bin/env"] }, listed], { env: secrets })
    const names = answers[0]!.stdout.trim().split("\n")
    // What makes this variant is a shell, which adds one.
    const added = variant.bare ? { PWD: "/" } : {}
    const values = Object.fromEntries(names.map((line) => line.split(/=(.*)/s).slice(0, 2)))
    expect(values).toEqual({
      PATH: expect.any(String),
      HOME: box.workspace,
      TMPDIR: expect.stringContaining(join(box.home, "run")),
      TERM: "dumb",
      LANG: "de_DE.UTF-8",
      SHELL: "/bin/sh",
      ...added,
    })
    // The last one is that with which they are listed.
    expect(answers[1]!.stdout).toBe("0\n1\n2\n3\n")
  }
})

walled("each call has a folder for temporary files, which goes with it, whatever is in it", async () => {
  const deep = Array.from({ length: 40 }, () => "a".repeat(48)).join("/")
  const script = `
    set -e; cd "$TMPDIR"; mkdir -p shut/in; : > shut/in/file; ln -s "$HOME" home; mkfifo pipe
    for i in 1 2 3; do mkdir -p $i/${deep}; done; mv 3 2/${deep}; mv 2 1/${deep}
    chmod 000 "$TMPDIR/shut/in" "$TMPDIR/shut"; : > "$HOME/kept"`
  for (const variant of variants) {
    await using box = await openBox(variant)
    const { answers } = await box.run([sh(script), sh('ls -A "$TMPDIR"')])
    expect(answers[0]).toMatchObject({ exit_code: 0 })
    expect(answers[1]).toMatchObject({ exit_code: 0, stdout: "" })
    expect(readdirSync(join(box.home, "run")).filter((name) => name !== "sandbox")).toEqual([])
    expect(readdirSync(box.workspace)).toEqual(["kept"])
  }
})

walled("what is granted for reading is read and run, what is granted for writing is changed", async () => {
  for (const variant of variants) {
    await using box = await openBox(variant)
    const [docs, reports] = ["docs", "reports"].map((name) => join(box.folder, name)) as [string, string]
    for (const folder of [docs, reports]) {
      mkdirSync(folder)
      chmodSync(folder, 0o777)
      await Bun.write(join(folder, "text"), "hello\n")
      chmodSync(join(folder, "text"), 0o777)
    }
    const policy = { read: [docs, join(box.folder, "nothing")], write: [reports] }
    const script = `cat ${docs}/text; ls ${docs}; cp ${docs}/text ${reports}/copy; mv ${reports}/copy ${reports}/moved; rm ${reports}/text
      echo x > ${docs}/text; rm ${docs}/text; touch ${docs}/new; ls ${reports}`
    const { answers } = await box.run([sh(`{ ${script}; } 2>&-`)], { policy })
    expect(answers[0]!.stdout).toBe("hello\ntext\nmoved\n")
    expect(readFileSync(join(docs, "text"), "utf8")).toBe("hello\n")
    expect(readdirSync(docs)).toEqual(["text"])
  }
})

walled("a grant that would uncover the gateway's own files is refused, also by way of a link", async () => {
  await using box = await openBox(here!)
  const link = join(box.folder, "link")
  symlinkSync(box.folder, link)
  for (const folder of [box.home, box.folder, link, "/"]) {
    const failed = run(box, {}, { policy: { read: [folder] } })
    await expect(failed).rejects.toMatchObject({ name: "ToolDenied" })
  }
})

const failures: [string, Partial<Program>, RegExp][] = [
  ["a program that is not there", { argv: ["/usr/bin/no-such-program"] }, /no-such-program .*\(ENOENT\)/],
  ["a file that is no program", { argv: ["/etc/passwd"] }, /\(EACCES\)/],
  ["a folder that is not there", { folder: "nowhere" }, /folder.*\(ENOENT\)/],
  ["a folder outside", { folder: "../../outside/in" }, /folder.*\(ENOENT\)/],
]
for (const [name, program, message] of failures) {
  walled(`${name} is a failure that says so`, async () => {
    await using box = await openBox(here!)
    await expect(run(box, program)).rejects.toThrow(message)
    expect(readdirSync(join(box.home, "run"))).toEqual([])
  })
}

walled("how a program ended is told", async () => {
  await using box = await openBox(here!)
  expect(await run(box, sh("exit 42"))).toMatchObject({ exit_code: 42, signal: null })
  expect(await run(box, sh("kill -SEGV $$"))).toMatchObject({ exit_code: null, signal: "SIGSEGV" })
  expect(await run(box, { argv: ["/bin/cat"], stdin: "ü" })).toMatchObject({ stdout: "ü", stdout_bytes: 2 })
  const named = await run(
    box,
    sh("echo a > /dev/stdout; echo b | tee /dev/stderr; cat < /dev/stdin; echo c > /dev/stderr"),
  )
  expect([named.stdout, named.stderr]).toEqual(["a\nb\n", "b\nc\n"])
  mkdirSync(join(box.workspace, "inside"))
  const { stdout } = await run(box, { argv: ["/bin/pwd"], folder: "inside" })
  expect(stdout).toBe(`${box.workspace}/inside\n`)
})

/** Ways of programs that people's agents run all day. */
const usual: [string, string][] = [
  [
    "sh",
    'mkdir -p a && echo "$(printf x | tr x y)" | tee a/b | cat && test -w /dev/null && find . -name b | xargs cat',
  ],
  [
    "python3",
    `python3 -c 'import json,tempfile,subprocess,threading; t=tempfile.NamedTemporaryFile(); print(subprocess.check_output(["echo","y"],text=True).strip())'`,
  ],
  [
    "git",
    `git init -q . && echo x > f && git add f && git -c user.name=a -c user.email=a@example.com commit -qm one && git log --format=%s | tr one yyy | cut -c1`,
  ],
  ["gcc", `printf '#include <stdio.h>\\nint main(void){puts("y");}' > y.c && gcc y.c -o y && ./y`],
  [
    "node",
    `node -e 'const fs=require("fs"); fs.writeFileSync("z","y"); console.log(fs.readFileSync("z","utf8"))'`,
  ],
  [
    "bun",
    `printf 'import {test,expect} from "bun:test"; test("y",()=>expect(1).toBe(1))' > y.test.ts && bun test 2>&1 | grep -c '1 pass' | tr 1 y`,
  ],
]

for (const variant of variants) {
  for (const [program, script] of usual) {
    const path = process.env
      .PATH!.split(":")
      .filter((folder) => variant.user === process.getuid?.() || !isWithin(folder, "/root"))
    const name = `${program} works as usual for ${variant.name}`
    if (!Bun.which(program, { PATH: path.join(":") }))
      test.skip(`${name} (needs ${program})`, () => undefined)
    else
      walled(name, async () => {
        await using box = await openBox(variant)
        // Without a /proc of their own some runtimes abort: see the decision.
        const strict = variant.user !== 0 && !(variant.bare && program === "bun")
        const { answers } = await box.run([sh(script)], { mode: strict ? "require" : "prefer" })
        const { exit_code, stdout, stderr } = answers[0]!
        expect([exit_code, stdout.trim().split("\n").at(-1), stderr]).toEqual([0, "y", ""])
      })
  }
}

walled("the hosts of the policy are reached through its proxy, and no others", async () => {
  let visitors = 0
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => new Response(`hello ${++visitors}`),
  })
  using closed = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(`no ${++visitors}`) })
  for (const variant of variants.filter((one) => !one.bare)) {
    await using box = await openBox(variant)
    visitors = 0
    const get = (url: string) =>
      `await fetch("${url}", { proxy: process.env.http_proxy }).then(async (r) => console.log(r.status, await r.text()))`
    const script = `${get(`http://127.0.0.1:${server.port}/`)}; ${get(`http://127.0.0.1:${closed.port}/`)}; ${get("http://example.com/")}
      await Bun.connect({hostname: "127.0.0.1", port: ${server.port}, socket: {data() {}}}).catch((e) => console.log(e.code))`
    const { answers } = await box.run([{ argv: [process.execPath, "-e", script] }], {
      mode: "require",
      policy: { network: [`127.0.0.1:${server.port}`] },
    })
    expect(answers[0]!.stderr).toBe("")
    const lines = answers[0]!.stdout.trim().split("\n")
    expect(lines.filter(Boolean)).toEqual([
      "200 hello 1",
      `403 The agent's sandbox does not let programs reach 127.0.0.1:${closed.port}.`,
      "403 The agent's sandbox does not let programs reach example.com:80.",
      "ECONNREFUSED",
    ])
    expect(visitors).toBe(1)
    expect(readdirSync(join(box.home, "run"))).toEqual([])
  }
})

walled("a proxy's socket may lie deeper than an address is long", async () => {
  using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("hello") })
  await using box = await openBox(here!)
  const run_folder = join(box.home, ...Array.from({ length: 5 }, () => "a-name-of-some-length"), "run")
  const options = box.options({ policy: { network: [`127.0.0.1:${server.port}`] } })
  await using sandbox = openSandbox({ ...options, run_folder })
  const script = `await fetch("http://127.0.0.1:${server.port}/", { proxy: process.env.http_proxy }).then(async (r) => console.log(await r.text()))`
  const signal = new AbortController().signal
  const argv = [process.execPath, "-e", script]
  const { stdout } = await sandbox.execute({ argv, timeout_ms: 20_000, output_bytes_max: 1000, signal })
  expect(stdout).toBe("hello\n")
})

walled("many calls at once do not get into each other's way", async () => {
  await using box = await openBox(here!)
  await using sandbox = openSandbox(box.options({ mode: is_root ? "prefer" : "require" }))
  const signal = new AbortController().signal
  const calls = Array.from({ length: 20 }, (_, i) =>
    sandbox.execute({
      ...sh(`echo ${i} > "$TMPDIR/x"; cat "$TMPDIR/x"; ls "$TMPDIR"`),
      timeout_ms: 20_000,
      output_bytes_max: 100,
      signal,
    }),
  )
  expect((await Promise.all(calls)).map(({ stdout }) => stdout)).toEqual(calls.map((_, i) => `${i}\nx\n`))
})
