import { expect, test } from "bun:test"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { byComponents, openBeneath } from "../../../src/kernel/beneath.ts"
import { linuxDisk } from "../../../src/kernel/disk.ts"
import { openFiles } from "../../../src/security/files/files.ts"

const swapper = join(import.meta.dir, "swapper.ts")
const canary_text = "a canary that nobody may hear"
/** For each of two kinds of link. */
const writes_count = 1000

/** A folder that another process exchanges with a link to the outside, over and over. */
async function openRace(target: (outside: string) => string) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-race-")))
  const at = (name: string) => join(folder, name)
  mkdirSync(at("ws/place"), { recursive: true })
  mkdirSync(at("outside"))
  writeFileSync(at("outside/secret"), canary_text)
  writeFileSync(at("ws/place/secret"), "harmless")
  symlinkSync(target(at("outside")), at("ws/swapped"))
  const child = Bun.spawn([process.execPath, swapper, at("ws/place"), at("ws/swapped")], { stdout: "pipe" })
  await child.stdout.getReader().read()
  return {
    at,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await child.exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const races = [
  {
    way: "by openat2",
    disk: linuxDisk(openBeneath()),
    link: "absolute",
    target: (outside: string) => outside,
  },
  { way: "by openat2", disk: linuxDisk(openBeneath()), link: "relative", target: () => "../outside" },
  {
    way: "by components",
    disk: linuxDisk(byComponents),
    link: "absolute",
    target: (outside: string) => outside,
  },
  { way: "by components", disk: linuxDisk(byComponents), link: "relative", target: () => "../outside" },
]
const everywhere = (
  name: string,
  body: (race: (typeof races)[number]) => undefined | Promise<unknown>,
  timeout_ms: number,
) =>
  process.platform === "linux"
    ? test.each(races)(name, body, timeout_ms)
    : test.skip(`${name} (needs linux)`, () => undefined)

everywhere(
  "a thousand writes and reads while a folder is exchanged with a link stay inside, $way, $link",
  async ({ disk, target }) => {
    await using race = await openRace(target)
    using open = openFiles({ workspace: race.at("ws"), read: [], write: [] }, disk)
    const files = open.for(() => undefined)
    const heard: string[] = []
    let [written, refused] = [0, 0]
    for (let i = 0; written < writes_count; i++) {
      const path = i % 4 === 0 ? `place/new-${i}/file` : `place/file-${i % 50}`
      await files.write(path, new TextEncoder().encode("x")).then(
        () => written++,
        () => refused++,
      )
      await files.read("place/secret").then(
        ({ bytes }) => heard.push(new TextDecoder().decode(bytes)),
        () => undefined,
      )
    }
    expect(readdirSync(race.at("outside"))).toEqual(["secret"])
    expect(readFileSync(race.at("outside/secret"), "utf8")).toBe(canary_text)
    expect(new Set(heard)).toEqual(new Set(["harmless"]))
    // Both happened, so there was a race.
    expect(refused).toBeGreaterThan(100)
  },
  60_000,
)
