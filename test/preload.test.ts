import { expect, test } from "bun:test"
import { tmpdir } from "node:os"
import { join } from "node:path"

test("tests see a home of their own, and no key of the person who runs them", () => {
  const preload = join(import.meta.dir, "preload.ts")
  const shown = ["HOME", "WEFT_HOME", "XDG_CONFIG_HOME", "OPENAI_API_KEY", "WEFT_TOKEN", "https_proxy"]
  const program = `
    import { test } from "bun:test"
    test("shows", () => console.log(JSON.stringify(${JSON.stringify(shown)}.map((name) => process.env[name]))))`
  const folder = join(process.env.HOME ?? "", "preloaded")
  return Bun.write(join(folder, "a.test.ts"), program).then(() => {
    const env = {
      ...process.env,
      HOME: "/real",
      OPENAI_API_KEY: "secret",
      WEFT_TOKEN: "secret",
      https_proxy: "http://proxy",
    }
    const child = Bun.spawnSync([process.execPath, "test", "--preload", preload], { cwd: folder, env })
    const line = child.stdout
      .toString()
      .split("\n")
      .find((text) => text.startsWith("["))
    const [home, ...others] = JSON.parse(line ?? "[]")
    expect(home).toStartWith(join(tmpdir(), "weft-test-"))
    expect(others).toEqual([join(home, ".weft"), join(home, ".config"), null, null, null])
  })
})
