import { expect, test } from "bun:test"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { makeCheckout } from "./checkout.ts"

const root = join(import.meta.dir, "../..")
const passes =
  'import { test } from "bun:test"\nimport { double } from "../src/double.ts"\ntest("a", () => void double(1))\n'

/** A checkout in which every check passes, and one test does. */
function makeTested() {
  const checkout = makeCheckout()
  checkout.write("co/node_modules/@biomejs/biome/bin/biome", "")
  checkout.write("co/node_modules/typescript/bin/tsc", "")
  checkout.write("co/scripts/build.ts", "")
  checkout.write("co/scripts/reference.ts", 'await Bun.write("docs/reference/a.md", "made")')
  checkout.write("co/docs/reference/a.md", "made")
  checkout.write("co/src/double.ts", "export const double = (n: number) => 2 * n\n")
  checkout.write("co/test/a.test.ts", passes)
  cpSync(join(root, "test/needs.ts"), checkout.at("co/test/needs.ts"))
  const run = (...words: string[]) => {
    const ran = checkout.run([process.execPath, "scripts/test.ts", ...words], { cwd: checkout.at("co") })
    return { ...ran, last: ran.out.trimEnd().split("\n").at(-1) }
  }
  return { ...checkout, run }
}

test("the checks, the coverage and the tests are counted in the last line", () => {
  using checkout = makeTested()
  expect(checkout.run()).toMatchObject({ status: 0, last: "6 passed, 0 failed, 0 skipped" })
})

test("what a machine lacks is skipped with its reason", () => {
  using checkout = makeTested()
  checkout.write(
    "co/test/b.test.ts",
    'import { needs } from "./needs.ts"\nneeds({ command: "no-such" })("a < b", () => void 0)\n',
  )
  const { out, last } = checkout.run()
  expect(out).toContain("skipped: test/b.test.ts: a < b (needs no-such)")
  expect(last).toBe("6 passed, 0 failed, 1 skipped")
})

test.each([
  ["a lint error", "co/node_modules/@biomejs/biome/bin/biome", "process.exit(1)"],
  ["a type error", "co/node_modules/typescript/bin/tsc", "process.exit(1)"],
  ["a stale reference", "co/docs/reference/a.md", "old"],
  ["a new reference that is not there yet", "co/scripts/reference.ts", 'await Bun.write("docs/new.md", "")'],
  ["a failing build", "co/scripts/build.ts", "process.exit(1)"],
  [
    "code that no test runs",
    "co/src/double.ts",
    `export function double(n: number) {\n${"  if (n < 0) n++\n".repeat(3)}  if (n < 0) {\n${"    n++\n".repeat(30)}  }\n  return n\n}\n`,
  ],
])("%s fails the run", (_, path, text) => {
  using checkout = makeTested()
  checkout.write(path, text)
  expect(checkout.run()).toMatchObject({ status: 1, last: "5 passed, 1 failed, 0 skipped" })
})

test("a failing test fails the run", () => {
  using checkout = makeTested()
  checkout.write("co/test/b.test.ts", passes.replace("void double(1)", "{ throw new Error() }"))
  expect(checkout.run()).toMatchObject({ status: 1, last: "5 passed, 1 failed, 0 skipped" })
})

test("a test file that does not load fails the run", () => {
  using checkout = makeTested()
  checkout.write("co/test/b.test.ts", 'import "./nowhere.ts"\n')
  expect(checkout.run().status).toBe(1)
})

test("arguments go to bun test, and coverage is not asked of a part", () => {
  using checkout = makeTested()
  checkout.write("co/test/b.test.ts", "throw new Error()\n")
  expect(checkout.run("test/a.test.ts")).toMatchObject({ status: 0, last: "5 passed, 0 failed, 0 skipped" })
})
