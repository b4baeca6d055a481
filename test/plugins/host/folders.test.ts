import { expect, test } from "bun:test"
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openFiles } from "../../../src/security/files/files.ts"
import { ToolDenied } from "../../../src/security/target.ts"
import { temporaryFolder } from "../../harness.ts"
import { openGuest } from "../guest.ts"

async function openHome() {
  const folder = await temporaryFolder()
  const at = (...names: string[]) => join(folder.path, ...names)
  for (const name of ["read", "write", "other", "read/sub", "readme"]) mkdirSync(at(name))
  writeFileSync(at("read", "a"), "hello")
  writeFileSync(at("read", "sub", "b"), "deep")
  writeFileSync(at("write", "a"), "old")
  writeFileSync(at("other", "secret"), "secret")
  writeFileSync(at("readme", "secret"), "secret")
  symlinkSync(at("other"), at("read", "absolute"))
  symlinkSync("../other", at("read", "out"))
  symlinkSync("../other/secret", at("write", "out"))
  symlinkSync("../new", at("write", "dangling"))
  symlinkSync("sub/b", at("read", "in"))
  linkSync(at("other", "secret"), at("write", "hard"))
  const guest = openGuest({ grants: ["fs:read:ro", "fs:write:rw"], folder: folder.path })
  return { guest, at, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

test("granted folders are read, listed and written by the names that their grants have", async () => {
  await using home = await openHome()
  const { guest, at } = home
  expect(await guest.call("fs_read", { folder: "read", path: "a" })).toBe("hello")
  expect(await guest.call("fs_read", { folder: "read", path: "./sub//b" })).toBe("deep")
  expect(await guest.call("fs_read", { folder: "read", path: "in" })).toBe("deep")
  expect(JSON.parse(await guest.call("fs_list", { folder: "read", path: "" }))).toEqual([
    { name: "a", type: "file" },
    { name: "absolute", type: "other" },
    { name: "in", type: "other" },
    { name: "out", type: "other" },
    { name: "sub", type: "folder" },
  ])
  const stat = JSON.parse(await guest.call("fs_stat", { folder: "read", path: "sub/b" }))
  expect(stat).toMatchObject({ type: "file", size_bytes: 4 })
  expect(await guest.call("fs_write", { folder: "write", path: "new/c" }, Buffer.from("made"))).toBe("")
  expect(await guest.call("fs_write", { folder: "write", path: "a" }, Buffer.from("changed"))).toBe("")
  expect(await guest.call("fs_read", { folder: "write", path: "new/c" })).toBe("made")
  expect(readFileSync(at("write", "a"), "utf8")).toBe("changed")
  expect(await guest.call("fs_read", { folder: "read", path: "missing" })).toBe("error not_found")
  expect(await guest.call("fs_stat", { folder: "read", path: "a/b" })).toBe("error not_found")
  expect(guest.lines).toEqual([])
})

/** "@" stands for the absolute path of all of the folders. */
const attempts: [string, string][] = [
  ["other", "secret"],
  ["", "@/other/secret"],
  [".", "other/secret"],
  ["..", "other/secret"],
  ["/", "@/other/secret"],
  ["@/other", "secret"],
  ["@/read", "a"],
  ["Read", "a"],
  ["READ", "a"],
  ["ｒead", "a"],
  ["read/", "a"],
  ["./read", "a"],
  ["read/../other", "secret"],
  ["read/sub", "b"],
  ["read", "../other/secret"],
  ["read", "sub/../../other/secret"],
  ["read", "/etc/passwd"],
  ["read", "@/other/secret"],
  ["read", "absolute/secret"],
  ["read", "out/secret"],
  ["read", "../readme/secret"],
  ["read", "sub/.."],
  ["read", "a\0"],
  ["write", "out"],
  ["constructor", "a"],
]

test.each(attempts)("nothing outside of what was granted is read or written: %j %j", async (folder, path) => {
  await using home = await openHome()
  const place = JSON.parse(JSON.stringify({ folder, path }).replaceAll("@", home.at()))
  const refused = /^error (denied|invalid|not_found)$/
  expect(await home.guest.call("fs_read", place)).toMatch(refused)
  expect(await home.guest.call("fs_list", place)).toMatch(refused)
  expect(await home.guest.call("fs_write", place, Buffer.from("stolen"))).toMatch(refused)
  expect(readFileSync(home.at("other", "secret"), "utf8")).toBe("secret")
  expect(readFileSync(home.at("readme", "secret"), "utf8")).toBe("secret")
})

test.each(["a", "new", "sub/b", "in", ""])("what is granted for reading is not written: %j", async (path) => {
  await using home = await openHome()
  expect(await home.guest.call("fs_write", { folder: "read", path }, Buffer.from("x"))).toBe("error denied")
  expect(readFileSync(home.at("read", "a"), "utf8")).toBe("hello")
  expect(readFileSync(home.at("read", "sub", "b"), "utf8")).toBe("deep")
})

test("no link in a folder for writing leads a write out of it", async () => {
  await using home = await openHome()
  for (const path of ["out", "dangling", "hard"]) {
    expect(await home.guest.call("fs_write", { folder: "write", path }, Buffer.from("x"))).toStartWith(
      "error",
    )
  }
  expect(readFileSync(home.at("other", "secret"), "utf8")).toBe("secret")
  expect(await Bun.file(home.at("new")).exists()).toBe(false)
})

test("a file beyond the bound is neither read nor written, and a forged length is seen", async () => {
  await using home = await openHome()
  const { guest, at } = home
  writeFileSync(at("read", "large"), new Uint8Array((8 << 20) + 1))
  expect(await guest.call("fs_read", { folder: "read", path: "large" })).toBe("error too_large")
  const large = new Uint8Array((8 << 20) + 1)
  expect(await guest.call("fs_write", { folder: "write", path: "large" }, large)).toBe("error too_large")
  for (const argument of [[], [1, 0, 0], [255, 255, 255, 255, 123, 125], [3, 0, 0, 0, 123, 125]]) {
    expect(await guest.raw("fs_read", Uint8Array.from(argument))).toEqual({ error: "invalid" })
  }
  const json = Buffer.from('{"folder":"read","path":"a"}')
  const forged = Buffer.concat([Buffer.from([json.length + 1, 0, 0, 0]), json])
  expect(await guest.raw("fs_read", forged)).toEqual({ error: "invalid" })
})

test("the agent's rules are asked about the file that it is, and the gateway's own stay closed", async () => {
  await using home = await openHome()
  const asked: string[] = []
  const guest = openGuest({
    grants: ["fs:read:ro", "fs:other:ro"],
    folder: home.at(),
    openFolder: (path) =>
      openFiles({
        workspace: home.at("read", "sub"),
        is_workspace_closed: true,
        read: [path],
        write: [],
        forbidden: [home.at("other", "secret")],
      }).for(({ text }) => {
        asked.push(text)
        if (text === "b") throw new ToolDenied("Not allowed.")
      }),
  })
  expect(await guest.call("fs_read", { folder: "read", path: "a" })).toBe("hello")
  expect(await guest.call("fs_read", { folder: "read", path: "in" })).toBe("error denied")
  expect(asked).toEqual([home.at("read", "a"), home.at("read", "a"), home.at("read", "in"), "b"])
  expect(await guest.call("fs_read", { folder: "other", path: "secret" })).toBe("error denied")
})
