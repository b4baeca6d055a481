import { afterAll, expect, test } from "bun:test"
import { mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { parseRules } from "../../src/security/permissions.ts"
import type { Executed } from "../../src/security/sandbox/execute.ts"
import { exec } from "../../src/tools/exec.ts"
import { openShellWorld } from "./shell-world.ts"

const world = openShellWorld()
afterAll(() => world[Symbol.asyncDispose]())

/** Without how long it took, and without walls that this machine does not have. */
async function said(input: object): Promise<string> {
  const result = (await world.call(input)) as string
  return result.replace(/[\d,]+ ms/, "… ms").replace(/\nIt ran without these walls.*/, "")
}

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex")

test.each([
  [{ command: "echo a" }, "Exit status 0, … ms.\nstdout:\na"],
  [{ command: "echo a | tr a b; echo c >&2" }, "Exit status 0, … ms.\nstdout:\nb\nstderr:\nc"],
  [{ command: ["echo", "$HOME", "; canary", "*"] }, "Exit status 0, … ms.\nstdout:\n$HOME ; canary *"],
  [{ command: "exit 3" }, "Exit status 3, … ms.\nIt wrote nothing."],
  [{ command: "kill -9 $$" }, "Ended by SIGKILL after … ms.\nIt wrote nothing."],
  [
    { command: "-x; echo a" },
    "Exit status 0, … ms.\nstdout:\na\nstderr:\n/usr/bin/bash: line 1: -x: command not found",
  ],
  [{ command: "cat", stdin: "from outside" }, "Exit status 0, … ms.\nstdout:\nfrom outside"],
  [{ command: "cat" }, "Exit status 0, … ms.\nIt wrote nothing."],
  [{ command: "test 1 = 1 && [[ a == a* ]] && echo <(true) | wc -l" }, "Exit status 0, … ms.\nstdout:\n1"],
] as const)("runs %j", async (input, expected) => {
  expect((await said(input)).replace(/.*bash: line/, "/usr/bin/bash: line")).toBe(expected)
})

test("runs in a folder of the workspace, and relative programs are those of that folder", async () => {
  world.put("sub/deeper/tool", "#!/bin/sh\npwd\n", 0o755)
  const input = { command: "./deeper/tool", working_dir: "sub" }
  expect(await said(input)).toBe(`Exit status 0, … ms.\nstdout:\n${world.workspace}/sub`)
  expect(await world.targets(input.command, input)).toEqual([
    {
      ...{ effect: "execute", kind: "program", text: "./deeper/tool" },
      words: [join(world.workspace, "sub/deeper/tool")],
      elsewhere: true,
      script: { path: "sub/deeper/tool", sha256: sha256("#!/bin/sh\npwd\n") },
      note: "in the folder sub",
    },
  ])
})

test("a folder that is none, that is elsewhere or that leads elsewhere is refused", async () => {
  world.put("sub/file", "")
  symlinkSync("/etc", join(world.workspace, "out"))
  mkdirSync(join(world.workspace, "in"))
  symlinkSync("in", join(world.workspace, "link"))
  for (const working_dir of ["/etc", "..", "out", "sub/../../run"]) {
    await expect(world.targets("echo a", { working_dir })).rejects.toThrow(/outside|workspace|granted/)
  }
  await expect(world.targets("echo a", { working_dir: "sub/file" })).rejects.toThrow("is not a folder")
  await expect(world.targets("echo a", { working_dir: "none" })).rejects.toThrow("none")
  expect(await world.targets("echo a", { working_dir: "link" })).toHaveLength(1)
})

test("a program that is not there is said at once, where no shell could find it later", async () => {
  for (const command of ["no-such-program a", ["no-such-program"], ["./none"], [""], []]) {
    await expect(world.targets(command)).rejects.toThrow(/^There is no program .* here\.$/)
  }
  expect((await world.targets("no-such-program; echo a"))[0]).toMatchObject({ words: ["no-such-program"] })
})

test("is stopped when its time is over, and what it wrote until then is told", async () => {
  expect(await said({ command: "echo early; sleep 60", timeout_ms: 300 })).toBe(
    "Stopped after … ms: its time was over. timeout_ms gives it up to 600000.\nstdout:\nearly",
  )
})

test("of much output both ends are told, and how much was left out", async () => {
  const result = await said({ command: "seq 1000000" })
  expect(result.length).toBeLessThan(530_000)
  expect(result).toStartWith("Exit status 0, … ms.\nstdout:\n1\n2\n")
  expect(result).toEndWith("\n999999\n1000000")
  expect(result).toMatch(/\n\[… \d+ bytes left out here …\]\n/)
})

test("walls that are missing are told", async () => {
  const executed: Executed = {
    ...{ exit_code: 0, signal: null, stdout: "", stderr: "", stdout_bytes: 0, stderr_bytes: 0 },
    ...{ timed_out: false, duration_ms: 1, missing: ["network", "landlock"] },
  }
  const context = { ...world.context, execute: () => Promise.resolve(executed) }
  expect(await exec.run(exec.parse({ command: "true" }), context)).toContain(
    "It ran without these walls, which this machine does not have: network, landlock.",
  )
})

test("what is granted for longer is granted for all that makes a difference", async () => {
  const variants: [string | string[], object?][] = [
    ["echo a"],
    ["echo b"],
    ["echo a; echo b"],
    ["echo a && echo b"],
    ["echo b; echo a"],
    ["if echo a; then echo b; fi"],
    ["echo a; echo b", { working_dir: "in2" }],
    ["echo a", { stdin: "x" }],
    ["echo a", { stdin: "y" }],
    ["echo a > x"],
    ["echo a >> x"],
    ["echo a < x"],
    [["sh", "-c", "echo a"]],
    ["sh -s", { stdin: "echo a" }],
    ["eval echo a"],
    ["eval echo b"],
    [":"],
    ["true; true"],
  ]
  mkdirSync(join(world.workspace, "in2"))
  const seen = await Promise.all(
    variants.map(async ([command, more]) => JSON.stringify(await world.targets(command, more))),
  )
  expect(new Set(seen).size).toBe(variants.length)
})

test("a script is bound to what is in it, whoever runs it", async () => {
  const shown = async (command: string) => (await world.targets(command)).at(-1)!.script?.sha256
  for (const command of [
    "sh run.sh",
    "./run.sh",
    "env nice bash run.sh",
    "python3 run.sh",
    "echo a; sh ./run.sh",
  ]) {
    world.put("run.sh", "one", 0o755)
    expect([command, await shown(command)]).toEqual([command, sha256("one")])
    world.put("run.sh", "two", 0o755)
    expect([command, await shown(command)]).toEqual([command, sha256("two")])
  }
  expect(await shown("sh none.sh")).toBeUndefined()
})

test("a file that is to run and is not there yet is asked about, as a shell would find another", async () => {
  for (const command of [
    "bash canary",
    "echo a > new.sh; sh new.sh",
    "gcc -o new a.c && ./new",
    "python3 none.py",
  ]) {
    const targets = await world.targets(command)
    expect([command, targets.map(({ opaque }) => opaque).includes(true)]).toEqual([command, true])
  }
})

test("a name that a tool would look for on PATH is asked about where there is a program of that name", async () => {
  const [known, unknown] = await Promise.all(
    ["true; bun run canary a", "true; bun run build"].map((command) => world.targets(command)),
  )
  expect(known!.map(({ note, opaque }) => [note?.split(";")[0], opaque])).toEqual([
    ["it may run the program canary", true],
  ])
  expect(unknown!.map(({ opaque }) => opaque)).toEqual([undefined])
})

test("where a program in the workspace leads is a part of what is shown", async () => {
  const link = join(world.workspace, "bin/tool")
  mkdirSync(join(world.workspace, "bin"), { recursive: true })
  const noteFor = async (program: string) => {
    rmSync(link, { force: true })
    symlinkSync(program, link)
    const [target] = await world.targets("bin/tool")
    expect(target).toMatchObject({ words: [link], elsewhere: true })
    return target!.note
  }
  expect(await noteFor("/bin/ls")).toBe(`bin/tool is a link to ${realpathSync("/bin/ls")}`)
  expect(await noteFor("/bin/cat")).toBe(`bin/tool is a link to ${realpathSync("/bin/cat")}`)
})

test("after a change of folder relative files are not what they seem", async () => {
  world.put("a/run.sh", "", 0o755)
  for (const command of [
    "cd a && ./run.sh",
    "cd a; sh run.sh",
    "cd a && echo b > c",
    "cd a && cat < c",
    "sh -c 'cd a && ./run.sh'",
    "sh -c 'cd a; sh run.sh'",
    "sh -c 'cd a && echo b > c'",
    "env sh -c 'cd a; cat < c'",
  ]) {
    const targets = await world.targets(command)
    expect([command, targets.some(({ opaque }) => opaque)]).toEqual([command, true])
  }
  const [only, ...more] = await world.targets("cd a && echo b > /dev/null && /bin/ls")
  expect([only?.opaque, more.map(({ opaque }) => opaque)]).toEqual([undefined, [undefined]])
})

test("a change of folder does not lead around a rule about files", async () => {
  const permissions = { allow: ["exec", "read", "write"], deny: ["write:secret"] }
  for (const command of [
    "cd secret && echo a > x",
    "sh -c 'cd secret && echo a > x'",
    "(cd secret; echo a) > x; cd secret; > y",
  ]) {
    expect([command, await world.judge(command, permissions)]).toEqual([command, "ask"])
  }
})

test("a program elsewhere is not the one that its name is a rule for", async () => {
  world.put("echo", "#!/bin/sh\ncanary\n", 0o755)
  const allow_echo = { allow: ["exec:echo"] }
  expect(await world.judge("echo a", allow_echo)).toBe("allow")
  expect(await world.judge("./echo a", allow_echo)).not.toBe("allow")
  expect(await world.judge(join(world.workspace, "echo"), allow_echo)).not.toBe("allow")
  expect(await world.judge("./echo a", { allow: ["exec"], deny: ["exec:echo"] })).toBe("deny")
  expect(await world.judge("./echo a", { allow: ["exec:echo", "exec:./echo"] })).toBe("allow")
})

test("redirections are files that a rule may be about", async () => {
  const permissions = { allow: ["exec", "read", "write"], deny: ["write:secret", "read:secret/**"] }
  expect(await world.judge("echo a > public", permissions)).toBe("allow")
  for (const command of [
    "echo a > secret/x",
    "echo a >> ./secret",
    "cat < secret/x",
    "> secret",
    "sh -c 'echo > secret/a'",
  ]) {
    expect([command, await world.judge(command, permissions)]).toEqual([command, "deny"])
  }
  const [, file] = await world.targets("echo a > x", { working_dir: "in2" })
  expect(file).toEqual({ effect: "write", kind: "path", text: "in2/x" })
  expect((await world.targets("echo a > '~'"))[1]).toEqual({ effect: "write", kind: "path", text: "~" })
})

test("why it is asked is told with it", async () => {
  const [first] = await world.targets("eval x")
  expect(first).toMatchObject({
    text: "bash -c 'eval x'",
    opaque: true,
    note: "eval may run or change something else",
  })
  const { decide } = parseRules({ allow: ["exec"] }, [exec])
  expect(decide("exec", first!).verdict).toBe("ask")
})
