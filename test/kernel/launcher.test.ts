import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildExecutable } from "../../scripts/executable.ts"
import { buildNative } from "../../scripts/native.ts"
import { sandbox_path } from "../../src/kernel/embedded.ts"
import { launcher } from "../../src/kernel/launcher.ts"
import { needs } from "../needs.ts"

const has_helper = (statSync(sandbox_path, { throwIfNoEntry: false })?.size ?? 0) > 0

function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), "weft-launcher-"))
  return {
    at: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

needs({ platform: "linux" })(
  "from sources, programs are shut in by the helper that was built, or by this one",
  async () => {
    using folder = openFolder()
    const found = await launcher(folder.at("run"))
    if (has_helper) expect(found).toEqual({ argv: [sandbox_path], kind: "helper" })
    else expect(found).toMatchObject({ kind: "own", argv: expect.arrayContaining(["sandbox"]) })
  },
)

needs({ platform: "linux", command: "cc" })(
  "an executable brings both along, and runs them from memory",
  async () => {
    using folder = openFolder()
    await buildExecutable(join(import.meta.dir, "loaded.ts"), folder.at("loaded"))
    // Neither a temporary folder nor anything else to write to.
    const ran = Bun.spawnSync([folder.at("loaded")], {
      cwd: "/",
      env: { TMPDIR: "/nowhere", HOME: "/nowhere" },
    })
    expect(ran.stderr.toString()).toBe("")
    const { kernel, beneath, start, status } = JSON.parse(ran.stdout.toString())
    expect([kernel, beneath, status]).toEqual(["loaded from memory", "openat2 with RESOLVE_BENEATH", 1])
    expect(start).toMatchObject({ kind: "helper", argv: [expect.stringMatching(/^\/proc\/\d+\/fd\/\d+$/)] })
  },
)

test("for a system that nothing can be compiled for, the native files are empty", () => {
  const { kernel, sandbox } = buildNative("windows-x64")
  expect([kernel, sandbox].map((path) => statSync(path).size)).toEqual([0, 0])
})
