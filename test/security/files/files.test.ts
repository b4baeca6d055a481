import { expect, test } from "bun:test"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { byComponents, openBeneath } from "../../../src/kernel/beneath.ts"
import { linuxDisk } from "../../../src/kernel/disk.ts"
import { type FileGrants, openFiles } from "../../../src/security/files/files.ts"
import { type Permit, ToolDenied } from "../../../src/security/target.ts"

const canary_text = "a canary that nobody may hear"
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (value: string) => new TextEncoder().encode(value)

/** A workspace with things in it that try to lead out, and a canary outside. */
function openWorld(disk: ReturnType<typeof linuxDisk>, grants: Partial<FileGrants> = {}) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-files-")))
  const at = (name: string) => join(folder, name)
  mkdirSync(at("ws/inner/deep"), { recursive: true })
  mkdirSync(at("ws-other"))
  mkdirSync(at("granted"))
  writeFileSync(at("canary"), canary_text)
  writeFileSync(at("ws-other/canary"), canary_text)
  writeFileSync(at("granted/plain"), "granted")
  writeFileSync(at("ws/plain"), "plain")
  writeFileSync(at("ws/inner/deep/file"), "deep")
  symlinkSync("../canary", at("ws/link-relative"))
  symlinkSync(at("canary"), at("ws/link-absolute"))
  symlinkSync("..", at("ws/link-parent"))
  symlinkSync(folder, at("ws/link-folder"))
  symlinkSync("link-relative", at("ws/link-link"))
  symlinkSync("../missing", at("ws/link-dangling"))
  symlinkSync("missing", at("ws/link-inside-dangling"))
  symlinkSync("link-loop", at("ws/link-loop"))
  symlinkSync("/proc/self/environ", at("ws/link-proc"))
  symlinkSync("/dev/zero", at("ws/link-device"))
  symlinkSync("inner/deep", at("ws/link-inside"))
  symlinkSync("../../../canary", at("ws/inner/deep/link-up"))
  symlinkSync("../inner/../../canary", at("ws/inner/link-crooked"))
  linkSync(at("canary"), at("ws/hard"))
  execFileSync("mkfifo", [at("ws/pipe")])
  const files = openFiles({ workspace: at("ws"), read: [at("granted")], write: [], ...grants }, disk)
  return {
    at,
    files,
    free: files.for(() => undefined),
    /** That the canaries are as they were, and nothing new stands beside the workspace. */
    check() {
      expect(readFileSync(at("canary"), "utf8")).toBe(canary_text)
      expect(readFileSync(at("ws-other/canary"), "utf8")).toBe(canary_text)
      expect(readdirSync(folder).sort()).toEqual(["canary", "granted", "ws", "ws-other"])
      expect(readdirSync(at("ws-other"))).toEqual(["canary"])
      expect(readdirSync(at("granted"))).toEqual(["plain"])
    },
    [Symbol.dispose]() {
      files[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `@` is the folder around the workspace. None of them may lead to a canary. */
const hostile = [
  "..",
  "../canary",
  "../../canary",
  "inner/../../canary",
  "inner/deep/../../../canary",
  "./../canary",
  "inner/./../../canary",
  ".//..//canary",
  "../ws-other/canary",
  "../ws/../canary",
  "@/canary",
  "@/ws-other/canary",
  "@/ws/../canary",
  "@/ws/../ws-other/canary",
  "/@/canary",
  "//@/canary",
  "@//canary",
  "@/ws//../canary",
  "@/./canary",
  "@/ws-other",
  "@",
  "/",
  "//",
  "/etc/passwd",
  "//etc//passwd",
  "/etc/../etc/passwd",
  "%2e%2e/canary",
  "..%2fcanary",
  "%2e%2e%2fcanary",
  "%252e%252e%252fcanary",
  "..%c0%afcanary",
  "..\\canary",
  "..\\..\\canary",
  "inner\\..\\..\\canary",
  "C:\\canary",
  "~",
  "~/canary",
  "~root/canary",
  "$HOME/canary",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a model might write.
  "${HOME}/canary",
  "@/../canary",
  "file:../canary",
  "file://@/canary",
  "FILE:///@/canary",
  "plain\0/../../canary",
  "../canary\0.txt",
  "．．/canary",
  "‥/canary",
  "..／canary",
  "․․/canary",
  "/proc/self/environ",
  "/proc/self/root/@/canary",
  "/proc/self/cwd/../canary",
  "/proc/self/fd/0",
  "/proc/self/maps",
  "/proc/self/mem",
  "/proc/thread-self/environ",
  "/dev/zero",
  "/dev/null",
  "/dev/stdin",
  "/dev/fd/0",
  "/sys/kernel/notes",
  "pipe",
  "link-relative",
  "link-absolute",
  "link-parent/canary",
  "link-parent/ws/../canary",
  "link-folder/canary",
  "link-folder/ws-other/canary",
  "link-link",
  "link-dangling",
  "link-loop",
  "link-loop/canary",
  "link-proc",
  "link-device",
  "link-inside/link-up",
  "inner/deep/link-up",
  "inner/link-crooked",
  "plain/../../canary",
  "plain/canary",
  "",
  "\n../canary",
  " ../canary",
  "../canary ",
  "a".repeat(300),
  "a/".repeat(3000),
  "../granted/../canary",
]

const ways = [
  { way: "by openat2", disk: linuxDisk(openBeneath()) },
  { way: "by components", disk: linuxDisk(byComponents) },
]
const is_linux = process.platform === "linux"
/** Both ways are Linux's; elsewhere they are skipped with that reason. */
const everywhere = (name: string, body: (way: (typeof ways)[number]) => undefined | Promise<unknown>) =>
  is_linux ? test.each(ways)(name, body) : test.skip(`${name} (needs linux)`, () => undefined)

everywhere("no spelling leads out, $way", async ({ disk }) => {
  using world = openWorld(disk)
  const seen: string[] = []
  for (const pattern of hostile) {
    const path = pattern
      .replaceAll("@/", `${world.at("")}/`.replaceAll("//", "/"))
      .replace(/^@$/, world.at(""))
    const tries = [
      async () => text((await world.free.read(path)).bytes),
      async () => JSON.stringify(await world.free.list(path)),
      async () => JSON.stringify(await world.free.write(path, bytes("changed"))),
      async () => JSON.stringify(await world.free.write(path, bytes("changed"), bytes(canary_text))),
      async () => JSON.stringify(await world.free.write(`${path}/new`, bytes("new"))),
    ]
    for (const attempt of tries) {
      const outcome = await attempt().catch((thrown: Error) => thrown)
      if (outcome instanceof Error) expect(outcome.message).toMatch(/^[A-Z"].*[.]$/s)
      else seen.push(outcome)
      world.check()
    }
  }
  expect(seen.filter((shown) => shown.includes(canary_text) || shown.includes('"canary"'))).toEqual([])
  expect(hostile.length).toBeGreaterThanOrEqual(61)
})

everywhere("what is out of reach is a denial and says which folders are not, $way", async ({ disk }) => {
  using world = openWorld(disk)
  const outcome = await world.free.read("../canary").catch((thrown: Error) => thrown)
  expect(outcome).toBeInstanceOf(ToolDenied)
  expect((outcome as Error).message).toContain(world.at("ws"))
  for (const path of ["link-relative", "link-absolute", "link-parent/canary", "inner/deep/link-up"]) {
    expect(await world.free.read(path).catch((thrown: Error) => thrown)).toBeInstanceOf(ToolDenied)
    expect(await world.free.write(path, bytes("x")).catch((thrown: Error) => thrown)).toBeInstanceOf(
      ToolDenied,
    )
  }
})

everywhere("pipes, devices and folders are not read and nothing waits for them, $way", async ({ disk }) => {
  using world = openWorld(disk)
  await expect(world.free.read("pipe")).rejects.toThrow(
    '"pipe" is a named pipe, not a file that can be read.',
  )
  await expect(world.free.read("inner")).rejects.toThrow('"inner" is a folder, not a file that can be read.')
  await expect(world.free.write("pipe", bytes("x"))).rejects.toThrow('"pipe" is a named pipe')
  await expect(world.free.write("inner", bytes("x"))).rejects.toThrow('"inner" is a folder')
  await expect(world.free.write(".", bytes("x"))).rejects.toThrow('"." is a folder')
  await expect(world.free.list("plain")).rejects.toThrow('"plain" is a file, not a folder.')
  using devices = openWorld(disk, { read: ["/dev", "/proc", "/sys"] })
  await expect(devices.free.read("/dev/zero")).rejects.toThrow('"/dev/zero" is a device')
  await expect(devices.free.read("/proc/self/environ")).rejects.toThrow("part of the running system")
  await expect(devices.free.read("/proc/version")).rejects.toThrow("part of the running system")
  await expect(devices.free.list("/sys")).rejects.toThrow("part of the running system")
})

everywhere("a file with a second name is not written, $way", async ({ disk }) => {
  using world = openWorld(disk)
  await expect(world.free.write("hard", bytes("x"))).rejects.toThrow(/"hard" has other names \(hard links\)/)
  world.check()
})

everywhere(
  "links that stay inside are followed, and the rules hear where they lead, $way",
  async ({ disk }) => {
    using world = openWorld(disk)
    const asked: string[] = []
    const permit: Permit = ({ effect, text }) => {
      asked.push(`${effect} ${text}`)
      if (text.startsWith("inner/")) throw new ToolDenied("not there")
    }
    const files = world.files.for(permit)
    await expect(files.read("link-inside/file")).rejects.toThrow("not there")
    await expect(files.write("link-inside/file", bytes("x"))).rejects.toThrow("not there")
    await expect(files.write("link-inside/new/file", bytes("x"))).rejects.toThrow("not there")
    await expect(files.list("link-inside")).rejects.toThrow("not there")
    expect(asked).toContain("read inner/deep/file")
    expect(asked).toContain("write inner/deep/file")
    expect(asked).toContain("write inner/deep/new/file")
    expect(readdirSync(world.at("ws/inner/deep")).sort()).toEqual(["file", "link-up"])
    expect(readFileSync(world.at("ws/inner/deep/file"), "utf8")).toBe("deep")
    expect(text((await world.free.read("link-inside/file")).bytes)).toBe("deep")
    await world.free.write("link-inside/file", bytes("deeper"))
    expect(readFileSync(world.at("ws/inner/deep/file"), "utf8")).toBe("deeper")
  },
)

everywhere("a denied path is not even looked for, $way", async ({ disk }) => {
  using world = openWorld(disk)
  const files = world.files.for(() => {
    throw new ToolDenied("no")
  })
  for (const path of ["plain", "missing", "link-relative"]) {
    await expect(files.read(path)).rejects.toThrow("no")
    await expect(files.write(path, bytes("x"))).rejects.toThrow("no")
    await expect(files.stat(path)).rejects.toThrow("no")
  }
  expect(existsSync(world.at("ws/missing"))).toBe(false)
})

everywhere("a write is whole, keeps the mode, and finds what it expects, $way", async ({ disk }) => {
  using world = openWorld(disk)
  const { free, at } = world
  chmodSync(at("ws/plain"), 0o750)
  expect(await free.write("plain", bytes("one"), bytes("plain"))).toEqual({ created: false })
  expect(statSync(at("ws/plain")).mode & 0o7777).toBe(0o750)
  await expect(free.write("plain", bytes("two"), bytes("plain"))).rejects.toThrow("not what it was any more")
  await expect(free.write("plain", bytes("two"), bytes("onE"))).rejects.toThrow("not what it was any more")
  await expect(free.write("plain", bytes("two"), null)).rejects.toThrow('"plain" is already there.')
  await expect(free.write("none", bytes("two"), bytes(""))).rejects.toThrow("not what it was any more")
  expect(readFileSync(at("ws/plain"), "utf8")).toBe("one")
  expect(await free.write("x/y/z", bytes(""), null)).toEqual({ created: true })
  expect(readdirSync(at("ws")).filter((name) => name.endsWith(".new"))).toEqual([])
  chmodSync(at("ws/inner"), 0o755)
  await free.write("inner/new", bytes("x"))
  expect(statSync(at("ws/inner/new")).mode & 0o777).toBe(0o644)
  chmodSync(at("ws/plain"), 0o4755)
  await free.write("plain", bytes("no longer lent"))
  expect(statSync(at("ws/plain")).mode & 0o7777).toBe(0o755)
})

everywhere("any bytes are read back as they were written, whole and in parts, $way", async ({ disk }) => {
  using world = openWorld(disk)
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200_000, size: "max" }),
      fc.nat(250_000),
      fc.nat(250_000),
      async (content, offset, bytes_max) => {
        await world.free.write("any", content)
        expect(Buffer.compare((await world.free.read("any")).bytes, content)).toBe(0)
        const part = (await world.free.read("any", { offset, bytes_max })).bytes
        expect(Buffer.compare(part, content.subarray(offset, offset + bytes_max))).toBe(0)
      },
    ),
    { numRuns: 30 },
  )
})

everywhere("what rules see of a path is the same however it is spelled, $way", ({ disk }) => {
  using world = openWorld(disk)
  const target = (path: string) => world.free.toTargetAnywhere(path, "read").text
  for (const path of ["inner/x", "./inner//x", "inner/deep/../x", `${world.at("ws")}/inner/x`, "inner/x/"]) {
    expect(target(path)).toBe("inner/x")
  }
  for (const path of [".", "", "./", world.at("ws"), "inner/.."]) expect(target(path)).toBe(".")
  expect(target("../canary")).toBe(world.at("canary"))
  expect(target(`${world.at("granted")}//plain`)).toBe(world.at("granted/plain"))
  expect(target("/etc/../etc/passwd")).toBe("/etc/passwd")
})

everywhere("a write is asked for once more before it shows, $way", async ({ disk }) => {
  using world = openWorld(disk)
  const folder = world.at("ws/asked")
  mkdirSync(folder)
  using files = openFiles({ workspace: folder, read: [], write: [] }, disk)
  let is_over = false
  const own = files.for(() => {
    if (is_over) throw new ToolDenied("over")
  })
  const writing = own.write("a", bytes("x"))
  is_over = true
  await expect(writing).rejects.toThrow("over")
  is_over = false
  mkdirSync(join(folder, "b"))
  const moving = own.write("b/a", bytes("x"))
  renameSync(join(folder, "b"), world.at("ws/elsewhere"))
  await expect(moving).rejects.toThrow("was moved or removed")
  expect([...readdirSync(folder), ...readdirSync(world.at("ws/elsewhere"))]).toEqual([])
})

everywhere("folders that were granted for reading are not written, $way", async ({ disk }) => {
  using world = openWorld(disk)
  expect(text((await world.free.read(world.at("granted/plain"))).bytes)).toBe("granted")
  await expect(world.free.write(world.at("granted/plain"), bytes("x"))).rejects.toThrow(
    "may be read and not written",
  )
  using writable = openWorld(disk, { write: [world.at("granted")], read: [world.at("granted")] })
  await writable.free.write(world.at("granted/plain"), bytes("written"))
  expect(readFileSync(world.at("granted/plain"), "utf8")).toBe("written")
})

everywhere("a workspace that is closed only says where relative paths start, $way", async ({ disk }) => {
  using world = openWorld(disk)
  const workspace = world.at("missing")
  using one = openFiles(
    { workspace, is_workspace_closed: true, read: [world.at("granted")], write: [] },
    disk,
  )
  const free = one.for(() => undefined)
  expect(text((await free.read("../granted/plain")).bytes)).toBe("granted")
  expect(free.toTarget(world.at("granted/plain"), "read").text).toBe(world.at("granted/plain"))
  await expect(free.read("plain")).rejects.toThrow(ToolDenied)
  await expect(free.write("plain", bytes("x"))).rejects.toThrow(ToolDenied)
  expect(existsSync(workspace)).toBe(false)
  const inside = {
    workspace: world.at("ws"),
    is_workspace_closed: true,
    read: [world.at("ws/inner")],
    write: [],
  }
  using other = openFiles(inside, disk)
  expect(text((await other.for(() => undefined).read("inner/deep/file")).bytes)).toBe("deep")
  await expect(other.for(() => undefined).read("plain")).rejects.toThrow(ToolDenied)
  await expect(other.for(() => undefined).write("inner/new", bytes("x"))).rejects.toThrow(ToolDenied)
})

everywhere("a grant that would show the gateway's own files opens nothing, $way", ({ disk }) => {
  const open = (read: string[], forbidden: string[]) => openWorld(disk, { read, forbidden })[Symbol.dispose]()
  using home = openWorld(disk)
  const secret = home.at("canary")
  expect(() => open([home.at("granted")], [secret])).not.toThrow()
  expect(() => open([home.at("")], [secret])).toThrow("is granted to this agent, and the gateway keeps")
  expect(() => open(["/"], [secret])).toThrow(ToolDenied)
  expect(() => open([secret], [secret])).toThrow(ToolDenied)
  expect(() => open([home.at("ws/link-parent")], [secret])).toThrow(ToolDenied)
  expect(() => open([home.at("granted")], [home.at("")])).toThrow(ToolDenied)
  symlinkSync(home.at("granted"), home.at("ws/link"))
  // What is yet to be made, below a link.
  expect(() => open([home.at("granted")], [home.at("ws/link/credentials")])).toThrow(ToolDenied)
})

everywhere(
  "a workspace that is missing is made for its owner only, and one that is made again is found, $way",
  async ({ disk }) => {
    using world = openWorld(disk)
    const workspace = world.at("ws/made/here")
    using files = openFiles({ workspace, read: [], write: [] }, disk)
    expect(statSync(workspace).mode & 0o777).toBe(0o700)
    const free = files.for(() => undefined)
    await free.write("a", bytes("1"))
    rmSync(workspace, { recursive: true })
    mkdirSync(workspace)
    await free.write("b", bytes("2"))
    expect(readdirSync(workspace)).toEqual(["b"])
  },
)
