import { expect, test } from "bun:test"
import fc from "fast-check"
import {
  commandMatch,
  matchesCommand,
  matchesHost,
  matchesPath,
  matchesText,
  specificity,
} from "../../src/security/patterns.ts"
import { cpuOf } from "../cpu.ts"

test.each([
  // A name stands for itself and for what is below it.
  ["docs", "docs", true],
  ["docs", "docs/a/b.md", true],
  ["docs/", "docs/a", true],
  ["./docs", "docs/a", true],
  ["docs", "docs2", false],
  ["docs", "Docs", false],
  [".", "any/thing", true],
  [".", "", true],
  ["", "", true],
  ["docs//a", "docs/a", true],
  ["./././a/./b/.", "a/b", true],
  ["a/b", ".//a//./b/./", true],
  ["a/b", "a.//b", false],
  [".a/*", ".a/.b", true],
  // Wildcards within a name.
  ["*.md", "a.md", true],
  ["*.md", "a/b.md", false],
  ["docs/*", "docs/a/b", false],
  ["docs/?", "docs/a", true],
  ["docs?a", "docs/a", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["*", "a", true],
  ["*", "a/b", false],
  ["a*b*c", "aXXbYYc", true],
  ["a*b*c", "aXXbYY", false],
  // Any number of names.
  ["**", "a/b/c", true],
  ["**", "", true],
  ["docs/**", "docs", true],
  ["docs/**", "docs/a/b", true],
  ["docs/**", "docs2/a", false],
  ["**/.env", ".env", true],
  ["**/.env", "a/b/.env", true],
  ["**/.env", "a/b/x.env", false],
  ["**.env", "a/b/x.env", true],
  ["a/**/b", "a/b", true],
  ["a/**/b", "a/x/y/b", true],
  ["a/**/b", "a/xb", false],
  ["a/**/b/**", "a/1/b/2/3", true],
  // Where it starts.
  ["/srv/docs", "/srv/docs/a", true],
  ["/srv/docs", "srv/docs/a", false],
  ["srv/**", "/srv/a", false],
  ["**", "/etc/passwd", false],
  ["/**", "/etc/passwd", true],
  ["/", "/etc/passwd", true],
  // Nothing else has a meaning.
  ["a[bc]", "ab", false],
  ["a[bc]", "a[bc]", true],
  ["{a,b}", "a", false],
  ["a.c", "abc", false],
  ["a\\*", "a\\b", true],
])("the path pattern %j and %j: %p", (pattern, path, expected) => {
  expect(matchesPath(pattern, path)).toBe(expected)
})

test.each([
  ["*", "anything.example", 1, true],
  ["api.example.com", "API.example.COM.", 443, true],
  ["api.example.com.", "api.example.com", 443, true],
  ["api.example.com", "xapi.example.com", 443, false],
  ["api.example.com", "api-example.com", 443, false],
  ["*.example.com", "a.b.example.com", 443, true],
  ["*.example.com", "example.com", 443, false],
  ["*.example.com", "evilexample.com", 443, false],
  ["*.example.com", "example.com.evil", 443, false],
  ["localhost:8080", "localhost", 8080, true],
  ["localhost:8080", "localhost", 80, false],
  ["localhost:*", "localhost", 1, true],
  ["*:443", "a.example", 443, true],
  ["*:443", "a.example", 80, false],
  ["[::1]", "[::1]", 80, true],
  ["::1", "[0:0:0:0:0:0:0:1]", 80, true],
  ["[::1]:80", "::1", 80, true],
  ["[::1]:80", "::1", 81, false],
  ["[FE80::A]", "fe80::a", 1, true],
  ["127.0.0.1", "127.0.0.10", 1, false],
])("the host pattern %j and %s:%d: %p", (pattern, host, port, expected) => {
  expect(matchesHost(pattern, host, port)).toBe(expected)
})

test.each([
  ["git status", ["/usr/bin/git", "status"], "certain"],
  ["git status", ["/usr/bin/git", "status", "-s"], "certain"],
  ["git status", ["/usr/bin/git", "stat"], "none"],
  ["git status", ["/usr/bin/git", "status x"], "none"],
  ["git  status ", ["/usr/bin/git", "status"], "certain"],
  ["git", ["/opt/git", "push"], "certain"],
  ["git", ["/usr/bin/legit"], "none"],
  ["*", ["/usr/bin/anything"], "certain"],
  ["python*", ["/usr/bin/python3.11", "a.py"], "certain"],
  ["/usr/bin/git", ["/usr/bin/git"], "certain"],
  ["/usr/bin/git", ["/opt/git"], "none"],
  ["/usr/bin/*", ["/usr/bin/x/git"], "none"],
  ["npm run test:*", ["/usr/bin/npm", "run", "test:unit"], "certain"],
  ["cat docs/*", ["/usr/bin/cat", "docs/../../etc/passwd"], "none"],
  ["cat *", ["/usr/bin/cat", "a/b"], "certain"],
  ["cat *", ["/usr/bin/cat"], "none"],
  ["git push", ["/usr/bin/git", null], "possible"],
  ["git push", ["/usr/bin/git", "log", null], "none"],
  ["git", ["/usr/bin/git", null], "certain"],
  ["git", [], "none"],
] as const)("the command pattern %j and %j: %s", (pattern, words, expected) => {
  expect(commandMatch(pattern, words)).toBe(expected)
  expect(matchesCommand(pattern, words)).toBe(expected === "certain")
})

test("a program of the workspace is meant by its path from there", () => {
  const words = ["/home/a/workspace/scripts/run.sh", "fast"]
  expect(commandMatch("./scripts/run.sh fast", words, "scripts/run.sh")).toBe("certain")
  expect(commandMatch("scripts/*.sh", words, "scripts/run.sh")).toBe("certain")
  expect(commandMatch("./scripts/run.sh", words)).toBe("none")
})

/** What the wildcards mean, said once more as a regular expression; for short texts only. */
function reference(pattern: string): RegExp {
  const parts = pattern.match(/(?<=^|\/)\*\*\/|\/\*\*$|\*+|[\s\S]/g) ?? []
  const source = parts.map((part) => {
    if (part === "**/") return "(?:[^]*/)?"
    if (part === "/**") return "(?:/[^]*)?"
    if (part.startsWith("*")) return part === "*" ? "[^/]*" : "[^]*"
    return part === "?" ? "[^/]" : part.replace(/[^a-z/]/, "\\$&")
  })
  return new RegExp(`^(?:${source.join("")})$`)
}

test("the wildcards mean what a regular expression would mean", () => {
  const names = fc.array(fc.constantFrom("a", "b", "ab", "*", "**", "?", "/", "a*", "*b"), { maxLength: 7 })
  const texts = fc.array(fc.constantFrom("a", "b", "/a", "/"), { maxLength: 8 })
  fc.assert(
    fc.property(names, texts, (some, others) => {
      const clean = (parts: string[]) =>
        parts
          .join("")
          .replace(/\/+/g, "/")
          .replace(/(?<=.)\/$/, "")
      const [pattern, path] = [clean(some), clean(others)]
      fc.pre(/[*?]/.test(pattern) && pattern.startsWith("/") === path.startsWith("/"))
      expect(matchesPath(pattern, path)).toBe(reference(pattern).test(path))
    }),
    { numRuns: 3000 },
  )
})

const megabyte = 1_048_576

test.each([
  ["a path", () => matchesPath("*a*a*a*b", "a".repeat(megabyte))],
  ["folders", () => matchesPath("**/a/**/b/**/c", "a/b/".repeat(megabyte / 4))],
  ["dots", () => matchesPath("**/a", "./".repeat(megabyte / 2))],
  ["slashes", () => matchesPath("**/x", "/".repeat(megabyte))],
  ["a host", () => matchesHost("*.a*a.example.com", "a".repeat(megabyte), 80)],
  ["colons", () => matchesHost("*.example.com", ":".repeat(megabyte), 80)],
  ["a bracket", () => matchesHost("[", `[${"[".repeat(megabyte)}:80`, 80)],
  ["a command", () => matchesCommand("git *a*a*b", ["/usr/bin/git", "a".repeat(megabyte)])],
  ["many words", () => matchesCommand("git a", ["/usr/bin/git", ...Array(megabyte / 2).fill("b")])],
  ["a text", () => matchesText("*a*a*b", "a".repeat(megabyte))],
])("a megabyte of hostile text is judged in less than 200 ms: %s", async (_name, run) => {
  const times: number[] = []
  for (let round = 0; round < 3; round++) times.push(await cpuOf(() => expect(run()).toBe(false)))
  // What backtracks takes minutes; a slow machine takes 60 ms.
  expect(Math.min(...times)).toBeLessThan(200)
})

test("no wildcard is more specific than any, then more characters than fewer", () => {
  const order = ["*", "*a", "*.md", "**/long/name/*", "a", "docs"]
  expect(order.toSorted((a, b) => specificity(a) - specificity(b))).toEqual(order)
})
