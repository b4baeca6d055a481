import { expect, test } from "bun:test"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { type Permissions, parseRules } from "../../src/security/permissions.ts"
import type { Target } from "../../src/security/target.ts"
import { temporaryFolder } from "../harness.ts"

const tools = [
  { name: "read_file", effect: "read", group: "files" },
  { name: "edit_file", effect: "write", group: "files" },
  { name: "exec", effect: "execute", group: "shell" },
  { name: "web_fetch", effect: "network", group: "web" },
  { name: "web_search", effect: "network", group: "web" },
  { name: "message", effect: "send" },
  { name: "mail:send", effect: "send", group: "mail" },
] as const

const read = (text: string): Target => ({ effect: "read", kind: "path", text })
const write = (text: string): Target => ({ effect: "write", kind: "path", text })
const host = (text: string): Target => ({ effect: "network", kind: "host", text })
const run = (...words: (string | null)[]): Target => ({
  effect: "execute",
  kind: "program",
  text: words.join(" "),
  words: words.map((word, index) => (index === 0 ? `/usr/bin/${word}` : word)),
})

const decide = (permissions: Permissions | undefined, tool: string, target: Target) =>
  parseRules(permissions, tools).decide(tool, target)

test.each([undefined, {}, { allow: [], ask: [], deny: [] }])(
  "without rules only the workspace is read: %j",
  (none) => {
    expect(decide(none, "read_file", read("a/b"))).toEqual({ verdict: "allow", rule: "the default" })
    for (const target of [read("/etc/passwd"), read("../x"), write("a"), run("ls"), host("a.example:443")]) {
      expect(decide(none, "read_file", target)).toEqual({ verdict: "ask", rule: "the default" })
    }
    const vague: Target = { effect: "read", kind: "text", text: "" }
    expect(decide(none, "read_file", vague).verdict).toBe("ask")
  },
)

test("the rules of the configuration's example", () => {
  const permissions = {
    allow: ["read", "exec:git status", "web_fetch:*.example.com"],
    ask: ["write", "execute"],
    deny: ["exec:rm", "network:*.internal"],
  }
  const { decide } = parseRules(permissions, tools)
  expect(decide("read_file", read("/srv/docs/a"))).toEqual({ verdict: "allow", rule: 'allow "read"' })
  expect(decide("edit_file", write("a")).verdict).toBe("ask")
  expect(decide("exec", run("git", "status", "-s")).verdict).toBe("allow")
  expect(decide("exec", run("git", "push"))).toEqual({ verdict: "ask", rule: 'ask "execute"' })
  expect(decide("exec", run("rm", "-r", "x"))).toEqual({ verdict: "deny", rule: 'deny "exec:rm"' })
  expect(decide("web_fetch", host("a.example.com:443")).verdict).toBe("allow")
  expect(decide("web_fetch", host("db.internal:443")).verdict).toBe("deny")
  expect(decide("web_search", host("a.example.com:443"))).toEqual({ verdict: "deny", rule: "no rule" })
})

// Each rule beats the ones after it for this target; the last wins only alone.
test.each([
  [
    "exec",
    run("git", "push", "origin"),
    [
      "exec:git push origin",
      "exec:git push",
      "shell:git push",
      "execute:git push",
      "exec:git",
      "exec:g*t",
      "exec:*",
    ].concat(["execute:*", "*:*", "exec", "shell", "execute", "*"]),
  ],
  [
    "edit_file",
    write("src/main.ts"),
    [
      "edit_file:src/main.ts",
      "write:src/main.ts",
      "edit_file:src",
      "write:src",
      "files:src/*.ts",
      "write:src/*",
    ].concat(["edit_file:**", "files:**", "edit_file", "files", "write", "*"]),
  ],
  [
    "web_fetch",
    host("api.example.com:443"),
    [
      "web_fetch:api.example.com:443",
      "network:api.example.com",
      "web:*.example.com",
      "network:*.example.com",
    ].concat(["web_fetch:*", "*:*", "web_fetch", "web", "network", "*"]),
  ],
] as const)("the most specific rule wins, whatever the verdicts are: %s", (tool, target, order) => {
  for (const verdicts of [
    ["allow", "deny"],
    ["deny", "allow"],
    ["ask", "deny"],
    ["allow", "ask"],
  ] as const) {
    for (const [index, rule] of order.slice(0, -1).entries()) {
      const permissions = { [verdicts[0]]: [rule], [verdicts[1]]: order.slice(index + 1) }
      expect(decide(permissions, tool, target)).toEqual({
        verdict: verdicts[0],
        rule: `${verdicts[0]} ${JSON.stringify(rule)}`,
      })
    }
  }
})

test("of rules that are as specific deny wins, then ask", () => {
  const rule = ["exec:git"]
  expect(decide({ allow: rule, ask: rule, deny: rule }, "exec", run("git")).verdict).toBe("deny")
  expect(decide({ allow: rule, ask: rule }, "exec", run("git")).verdict).toBe("ask")
})

test("a tool's patterns are about what the tool is for, its bare name about all that its call does", () => {
  expect(decide({ allow: ["exec:tee"] }, "exec", write("tee")).verdict).toBe("deny")
  expect(decide({ allow: ["exec:tee"] }, "exec", { ...write("tee"), effect: "read" }).verdict).toBe("deny")
  expect(decide({ allow: ["edit_file:a"] }, "edit_file", read("a")).verdict).toBe("allow")
  expect(decide({ allow: ["exec"] }, "exec", write("out.txt")).verdict).toBe("allow")
  expect(decide({ allow: ["exec"], deny: ["write:*.lock"] }, "exec", write("bun.lock")).verdict).toBe("deny")
  expect(decide({ allow: ["read"] }, "edit_file", write("a")).verdict).toBe("deny")
})

test("a tool whose name has a colon is known by it", () => {
  const target: Target = { effect: "send", kind: "text", text: "to: a@example.com" }
  expect(decide({ allow: ["mail:send"] }, "mail:send", target).verdict).toBe("allow")
  expect(decide({ allow: ["mail:send:*@example.com"] }, "mail:send", target).verdict).toBe("allow")
  expect(decide({ allow: ["mail:send:*@other.com"] }, "mail:send", target).verdict).toBe("deny")
  expect(decide({ allow: ["mail"] }, "mail:send", target).verdict).toBe("allow")
  expect(decide({ allow: ["echo.shout"] }, "echo.shout", target).verdict).toBe("allow")
})

test("what cannot be known before it runs is never allowed without asking", () => {
  const opaque: Target = { effect: "execute", kind: "program", text: "eval $X", words: [], opaque: true }
  expect(decide({ allow: ["execute"] }, "exec", opaque)).toEqual({ verdict: "ask", rule: 'allow "execute"' })
  expect(decide({ allow: ["exec:*"] }, "exec", opaque).verdict).toBe("deny")
  expect(decide({ allow: ["exec"], deny: ["execute"] }, "exec", opaque).verdict).toBe("ask")
  expect(decide({ deny: ["exec"] }, "exec", opaque).verdict).toBe("deny")
  const known: Target = { ...run("python3", "-c", "1"), opaque: true }
  expect(decide({ allow: ["exec:python3"] }, "exec", known).verdict).toBe("ask")
  expect(decide({ allow: ["exec"], deny: ["exec:python3"] }, "exec", known).verdict).toBe("deny")
})

test("a rule that forbids a program holds wherever its name stands in what is opaque", () => {
  const permissions = { allow: ["execute"], deny: ["exec:rm", "exec:mk*fs -f"] }
  const opaque = (...words: (string | null)[]): Target => ({ ...run(...words), opaque: true })
  for (const target of [
    opaque("sudo", "rm", "x"),
    opaque("sudo", "-u", "a", "/bin/rm", "x"),
    opaque("bash", "-c", "eval 'rm x'"),
    opaque("python3", "-c", 'os.system("rm x")'),
    opaque("ssh", "host", "mkzfs"),
    opaque("bash", "-c", Array.from({ length: 5000 }, (_, index) => `w${index}`).join(" ")),
  ]) {
    expect([target.text.slice(0, 80), decide(permissions, "exec", target).verdict]).toEqual([
      target.text.slice(0, 80),
      "deny",
    ])
  }
  const specific = { allow: ["exec:python3 -c"], deny: ["exec:rm"] }
  expect(decide(specific, "exec", opaque("python3", "-c", "run('rm')")).verdict).toBe("deny")
  expect(decide(specific, "exec", opaque("python3", "-c", "run('ls')")).verdict).toBe("ask")
  expect(decide({ allow: ["execute"], deny: ["write:rm"] }, "exec", opaque("sudo", "rm")).verdict).toBe("ask")
  expect(decide(permissions, "exec", opaque("sudo", "rmdir", "x")).verdict).toBe("ask")
  expect(decide(permissions, "exec", opaque("rm-all", "x")).verdict).toBe("ask")
  expect(decide(permissions, "exec", run("grep", "rm", "x")).verdict).toBe("allow")
})

test("a word that is not known yet meets every rule that forbids and none that allows", () => {
  const target = run("git", null)
  expect(decide({ allow: ["exec:git"] }, "exec", target).verdict).toBe("allow")
  expect(decide({ allow: ["exec:git status"] }, "exec", target).verdict).toBe("deny")
  expect(decide({ allow: ["exec:git"], deny: ["exec:git push"] }, "exec", target).verdict).toBe("deny")
  expect(decide({ allow: ["exec:git"], ask: ["exec:git push"] }, "exec", target).verdict).toBe("ask")
  expect(decide({ ask: ["exec:git push"], deny: ["exec:git"] }, "exec", target).verdict).toBe("deny")
  expect(decide({ ask: ["exec:git push"] }, "exec", target).verdict).toBe("deny")
})

test("another program of an allowed name is not allowed, of a denied name denied", () => {
  const target: Target = { ...run("git"), words: ["/srv/workspace/git"], elsewhere: true }
  expect(decide({ allow: ["exec:git"] }, "exec", target).verdict).toBe("deny")
  expect(decide({ allow: ["exec:*"] }, "exec", target).verdict).toBe("deny")
  expect(decide({ allow: ["exec"], deny: ["exec:git"] }, "exec", target).verdict).toBe("deny")
  expect(decide({ allow: ["exec:/srv/workspace/git"] }, "exec", target).verdict).toBe("allow")
  const script = { path: "git", sha256: "" }
  expect(decide({ allow: ["exec:./git"] }, "exec", { ...target, script }).verdict).toBe("allow")
})

test.each([
  [{ allow: ["web_fetch:localhost:8080"] }, "localhost", 8080, true],
  [{ allow: ["web_fetch:localhost:8080"] }, "localhost", 8081, false],
  [{ ask: ["network:localhost"] }, "LOCALHOST.", 1, true],
  [{ allow: ["web:[::1]:80"] }, "::1", 80, true],
  [{ allow: ["network:10.0.0.5"] }, "10.0.0.5", 80, true],
  [{ allow: ["network:db.internal"] }, "db.internal", 80, true],
  // Whoever owns the name may have it lead to any service of this machine.
  [{ allow: ["network:docs.example.com"] }, "docs.example.com", 6379, false],
  [{ allow: ["network:docs.example.com:443"] }, "docs.example.com", 443, true],
  [{ allow: ["network:*"] }, "localhost", 80, false],
  [{ allow: ["network:*host"] }, "localhost", 80, false],
  [{ allow: ["network"] }, "localhost", 80, false],
  [{ deny: ["network:localhost"] }, "localhost", 80, false],
  [{ allow: ["exec:localhost"] }, "localhost", 80, false],
  [{ allow: ["read:localhost"] }, "localhost", 80, false],
  [undefined, "localhost", 80, false],
])("a local host is opened by a rule that names it: %j, %s:%d: %p", (permissions, name, port, expected) => {
  expect(parseRules(permissions, tools).isOpened(name, port)).toBe(expected)
})

test("a host that is opened for one tool is not for another", () => {
  const { isOpened } = parseRules({ allow: ["web_search:localhost", "network"] }, tools)
  expect(isOpened("localhost", 80, "web_search")).toBe(true)
  expect(isOpened("localhost", 80, "web_fetch")).toBe(false)
})

test("one more denying rule never makes a verdict milder", () => {
  const rule = fc.constantFrom(
    "read",
    "write",
    "execute",
    "exec",
    "shell",
    "exec:git",
    "exec:git push",
    "exec:g*",
  )
  const rules = fc.record({ allow: fc.array(rule), ask: fc.array(rule), deny: fc.array(rule) })
  const target = fc.constantFrom(run("git"), run("git", "push"), run("git", null), run("ls"), write("a"))
  const order = ["allow", "ask", "deny"]
  fc.assert(
    fc.property(rules, rule, target, (permissions, more, one) => {
      fc.pre(permissions.allow.length + permissions.ask.length + permissions.deny.length > 0)
      const before = decide(permissions, "exec", one).verdict
      const after = decide({ ...permissions, deny: [...permissions.deny, more] }, "exec", one).verdict
      expect(order.indexOf(after)).toBeGreaterThanOrEqual(order.indexOf(before))
    }),
  )
})

const at_work = [
  "/work/shop",
  "read:/work/shop/.env",
  "read:/work/**/.env",
  "read:../shop/.env",
  "read:/work",
]

test.each(at_work.slice(1))("a rule about the workspace may be absolute: %s", (rule) => {
  const rules = parseRules({ allow: ["read"], deny: [rule] }, tools, at_work[0])
  expect(rules.decide("read_file", read(".env")).verdict).toBe("deny")
  expect(rules.decide("read_file", read("/elsewhere/.env")).verdict).toBe("allow")
})

test("an absolute rule about the workspace is as specific as a relative one", () => {
  const permissions = {
    allow: ["read:/work/shop", "write"],
    ask: ["write:/work/shop/live"],
    deny: ["read:keys", "read:/work/shop/all/keys"],
  }
  const { decide } = parseRules(permissions, tools, "/work/shop")
  expect(decide("read_file", read("a")).verdict).toBe("allow")
  expect(decide("read_file", read("keys/a")).verdict).toBe("deny")
  expect(decide("read_file", read("all/keys")).verdict).toBe("deny")
  expect(decide("edit_file", write("live/a")).verdict).toBe("ask")
  expect(decide("edit_file", write("a")).verdict).toBe("allow")
})

test("what is denied is denied by its real name, too; what is allowed does not grow with a link", async () => {
  await using folder = await temporaryFolder()
  const [real, link] = [join(folder.path, "real"), join(folder.path, "link")]
  mkdirSync(real)
  symlinkSync(real, link)
  const denied = (rule: string, path: string, workspace?: string) =>
    parseRules({ allow: ["read"], deny: [rule] }, tools, workspace).decide("read_file", read(path)).verdict
  expect(denied(`read:${link}/a`, `${real}/a`)).toBe("deny")
  expect(denied(`read:${link}/*/b`, `${real}/a/b`)).toBe("deny")
  expect(denied(`read:${link}/a`, "a", link)).toBe("deny")
  expect(denied(`read:${real}/a`, "a", link)).toBe("deny")
  expect(denied(`read:${link}/a`, "a", real)).toBe("deny")
  expect(denied(`read:${link}/a`, "b", real)).toBe("allow")
  const outer = { allow: [`read:${real}`], deny: [`read:${link}/a`] }
  expect(decide(outer, "read_file", read(`${real}/a`)).verdict).toBe("deny")
  expect(decide({ allow: [`read:${link}`] }, "read_file", read(`${real}/a`)).verdict).toBe("deny")
})

test("a program that is denied by its path is denied over every link to it", async () => {
  await using folder = await temporaryFolder()
  const at = (path: string) => join(folder.path, path)
  mkdirSync(at("usr"))
  writeFileSync(at("usr/rm"), "")
  symlinkSync("usr", at("bin"))
  symlinkSync("rm", at("usr/del"))
  const judge = (rule: string, program: string) => {
    const target: Target = { effect: "execute", kind: "program", text: "", words: [at(program), "-r"] }
    return decide({ allow: ["exec"], deny: [`exec:${at(rule)}`] }, "exec", target).verdict
  }
  for (const rule of ["usr/rm", "bin/rm", "bin/*", "bin/rm -r"]) {
    for (const program of ["usr/rm", "bin/rm", "bin/del"]) expect(judge(rule, program)).toBe("deny")
  }
  // What is called by another name may be another program.
  expect(judge("bin/del", "usr/rm")).toBe("allow")
  expect(judge("bin/rm -f", "usr/rm")).toBe("allow")
})
