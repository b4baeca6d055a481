import { expect, test } from "bun:test"
import { permitOf } from "../../src/agent/gate.ts"
import { type Permissions, parseRules } from "../../src/security/permissions.ts"
import { type Target, ToolDenied } from "../../src/security/target.ts"

const host = (text: string, more: Partial<Target> = {}): Target => ({
  effect: "network",
  kind: "host",
  text,
  ...more,
})
const path = (text: string, more: Partial<Target> = {}): Target => ({
  effect: "read",
  kind: "path",
  text,
  ...more,
})
const all = { covers: true } as const

const isLet = (asked: Target[], target: Target, permissions: Permissions = { ask: ["*"] }): boolean => {
  const permit = permitOf("notes", parseRules(permissions, []), asked, "/srv/workspace")
  try {
    permit(target)
    return true
  } catch (thrown) {
    if (!(thrown instanceof ToolDenied)) throw thrown
    return false
  }
}

const hosts = host("*.example.com:443", all)
const docs = path("docs", all)

test.each<[Target, Target]>([
  [hosts, host("a.example.com:443")],
  [hosts, host("a.b.example.com:443")],
  [docs, path("docs")],
  [docs, path("docs/a/b")],
  [path(".", all), path("x/y")],
  [path(".", all), path("/srv/workspace/x")],
  [path("/srv", all), path("/srv/x")],
  [path("/srv", all), path("x")],
  [path("/", all), path("/etc/passwd")],
  [path("docs", { ...all, effect: "write" }), path("docs/a", { effect: "write" })],
])("who was asked about %j was asked about %j", (asked, target) => {
  expect(isLet([asked], target)).toBe(true)
  // It is only that it was asked about: what the rules deny stays denied, and what nobody was asked about unknown.
  expect(isLet([asked], target, { deny: ["*"] })).toBe(false)
  expect(isLet([], target)).toBe(false)
  const { covers: _, ...exact } = asked
  expect(isLet([exact], target)).toBe(asked.text === target.text)
})

test.each<[Target, Target]>([
  [hosts, host("example.com:443")],
  [hosts, host(".example.com:443")],
  [hosts, host("evilexample.com:443")],
  [hosts, host("a.example.com:80")],
  [hosts, host("a.example.com:4430")],
  [hosts, host("a.example.com:443.evil.com:443")],
  [hosts, host("a.example.org:443")],
  [host("*.0.0.1:443", all), host("127.0.0.1:443")],
  [host("*.1]:443", all), host("[::ffff:0.0.0.1]:443")],
  [host("a.example.com:443", all), host("b.a.example.com:443")],
  [host("*:443", all), host("a.example.com:443")],
  [hosts, { ...host("a.example.com:443"), effect: "send" }],
  [hosts, { ...host("a.example.com:443"), kind: "text" }],
  [docs, path("docs2")],
  [docs, path("doc")],
  [docs, path("docs/../other")],
  [docs, path("../docs/a")],
  [docs, path("/docs/a")],
  [docs, path("docs/a", { effect: "write" })],
  [path(".", all), path("../x")],
  [path(".", all), path("/srv/x")],
  [path("/srv/workspace2", all), path("x")],
])("who was asked about %j was not asked about %j", (asked, target) => {
  expect(isLet([asked], target)).toBe(false)
})
