/** docs/guides/kernel.md: what it shows runs, and says what it shows. */
import { expect, test } from "bun:test"
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../../harness.ts"
import { needs } from "../../needs.ts"

const root = join(import.meta.dir, "../../..")
const guide = readFileSync(join(root, "docs/guides/kernel.md"), "utf8")
const blocks = (language: string) =>
  [...guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!)

function run(command: string[], cwd: string): { out: string; said: string } {
  const child = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "pipe" })
  return { out: child.stdout.toString(), said: child.stderr.toString() }
}

const expected = [/^\[ 0, 2 \]\n\[ 2 \]\n$/, /^\[ 1, 0 \]\n$/]

for (const [name, command] of [
  ["Bun", [process.execPath]],
  ["Node", ["node"]],
] as const) {
  needs({ command: command[0] })(`the examples in JavaScript run in ${name}`, async () => {
    await using folder = await temporaryFolder()
    // As a project that has the package.
    mkdirSync(join(folder.path, "node_modules"))
    symlinkSync(root, join(folder.path, "node_modules/weft"))
    for (const [index, text] of blocks("js").entries()) {
      writeFileSync(join(folder.path, `example-${index}.mjs`), text)
      const { out, said } = run([...command, `example-${index}.mjs`], folder.path)
      expect(said).toBe("")
      expect(out).toMatch(expected[index]!)
    }
  })
}

test("the table names what the module exports, and nothing else", () => {
  const module = new WebAssembly.Module(readFileSync(join(root, "src/kernel/micro/micro.wasm")))
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name)
  const named = [...guide.matchAll(/`(kernel_\w+)`/g)].map(([, name]) => name!)
  expect([...new Set(named)].sort()).toEqual(exported.filter((name) => name.startsWith("kernel_")).sort())
})

needs({ wasi: "c" })(
  "the plugin in C is built and answers",
  async () => {
    await using folder = await temporaryFolder()
    const own = join(folder.path, "nearest")
    mkdirSync(own)
    symlinkSync(join(root, "native"), join(folder.path, "native"))
    cpSync(join(root, "plugins/sdk/weft.h"), join(own, "weft.h"))
    writeFileSync(join(own, "nearest.c"), blocks("c")[0]!)
    const [build = "", call = "", answer] = blocks("console")[0]!.split("\n")
    expect(run(build.slice(2).split(" "), folder.path)).toEqual({ out: "", said: "" })
    const [, words, input] = /^\$ weft (.*) '(.*)'$/.exec(call)!
    const called = run(
      [process.execPath, join(root, "src/main.ts"), ...words!.split(" "), input!],
      folder.path,
    )
    expect(called.out.trim()).toBe(answer!)
  },
  60_000,
)
