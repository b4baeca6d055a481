/** `weft doctor` of the executable, by whoever runs it. */
import { expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { type Place, run } from "./weft.ts"

type Check = { what: string; level: string; detail: string }

async function examine(home: string, place: Place = {}): Promise<{ status: number | null; checks: Check[] }> {
  const { status, out } = await run(["doctor", "--json", "--home", home], place)
  return { status, checks: (JSON.parse(out) as { checks: Check[] }).checks }
}

const find = (checks: Check[], what: string) => checks.find((check) => check.what === what)

test("the executable looks at itself and at the machine quickly, and leaves nothing", async () => {
  await using folder = await temporaryFolder()
  const started = performance.now()
  const { status, checks } = await examine(join(folder.path, "none"))
  const duration_ms = performance.now() - started
  expect(status).toBe(0)
  expect(find(checks, "program")?.detail).not.toContain("from the sources")
  expect(readdirSync(folder.path)).toEqual([])
  // The machine may have much else to do.
  expect(duration_ms).toBeLessThan(2000)
})

needs({ platform: "linux", file: "native/build/sandbox" })(
  "in the executable the native library and the helper work from memory",
  async () => {
    await using folder = await temporaryFolder()
    const { checks } = await examine(join(folder.path, "none"))
    expect(find(checks, "native library")).toMatchObject({ level: "ok", detail: "loaded from memory" })
    expect(find(checks, "sandbox helper")).toMatchObject({ level: "ok" })
    expect(find(checks, "walls")?.detail).toContain("seccomp")
  },
)

needs({ platform: "linux", root: true, command: "setpriv", file: "native/build/sandbox" })(
  "an ordinary user finds no fault with a home of his own either",
  async () => {
    await using folder = await temporaryFolder()
    chmodSync(folder.path, 0o755)
    const home = join(folder.path, "home")
    mkdirSync(home)
    chmodSync(home, 0o700)
    chownSync(home, 65534, 65534)
    const through = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    const { status, checks } = await examine(home, { through, cwd: "/" })
    expect(checks.filter(({ level }) => level === "fail")).toEqual([])
    expect({ status, walls: find(checks, "walls")?.level }).toEqual({ status: 0, walls: "ok" })
  },
)
