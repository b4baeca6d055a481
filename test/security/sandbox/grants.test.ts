import { expect, test } from "bun:test"
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isWithin } from "../../../src/security/sandbox/environment.ts"
import { pathGrants, programGrants, systemGrants } from "../../../src/security/sandbox/grants.ts"
import { temporaryFolder } from "../../harness.ts"

/** A person's home with programs in the places where people install them. */
async function openHome() {
  const folder = await temporaryFolder()
  const home = realpathSync(folder.path)
  const at = (...names: string[]) => join(home, ...names)
  for (const name of [
    ".nvm/v24/bin",
    ".local/bin",
    "bin",
    "project/bin",
    "project/.git",
    ".tool/bin",
    ".tool/.git",
    "data",
  ]) {
    mkdirSync(at(name), { recursive: true })
  }
  writeFileSync(at(".nvm/v24/bin/node"), "", { mode: 0o755 })
  symlinkSync(at(".nvm/v24/bin/node"), at("bin/node"))
  writeFileSync(at("data/program"), "", { mode: 0o755 })
  return { home, at, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

test("a folder of programs brings what is installed with it, and nothing that is somebody's own", async () => {
  await using person = await openHome()
  const { home, at } = person
  const grants = (name: string) => [...new Set(pathGrants([at(name)], [home]))]
  expect(grants(".nvm/v24/bin")).toEqual([at(".nvm/v24/bin"), at(".nvm/v24")])
  expect(grants(".tool/bin")).toEqual([at(".tool/bin"), at(".tool")])
  expect(grants(".local/bin")).toEqual([at(".local/bin")])
  expect(grants("bin")).toEqual([at("bin")])
  expect(grants("project/bin")).toEqual([at("project/bin")])
  expect(pathGrants([home], [home])).toEqual([])
  expect(pathGrants(["/"], [home])).toEqual([])
})

test("a program elsewhere brings itself and what it links to", async () => {
  await using person = await openHome()
  const { home, at } = person
  expect(programGrants(at("bin/node"), [home])).toEqual([
    at("bin/node"),
    at(".nvm/v24/bin/node"),
    at(".nvm/v24"),
  ])
  expect(programGrants(at("data/program"), [home])).toEqual([at("data/program"), at("data/program")])
  expect(programGrants(at("nothing"), [home])).toEqual([])
})

const secrets = [
  "shadow",
  "shadow-",
  "gshadow",
  "sudoers",
  "ssh/sshd_config",
  "ssl/private",
  "krb5.keytab",
  "environment",
]
test.each(secrets)("/etc/%s is granted to nobody", (name) => {
  const { read, write } = systemGrants([])
  expect([...read, ...write].filter((granted) => isWithin(`/etc/${name}`, granted))).toEqual([])
  expect(
    [...read, ...write].filter((granted) =>
      ["/", "/etc", "/home", "/root", "/var", "/dev", "/proc"].includes(granted),
    ),
  ).toEqual([])
})

test("the gateway's home is granted to nobody, even among the system's folders", () => {
  const own = "/usr/lib"
  const { read } = systemGrants([own])
  expect(
    read.filter((granted) => isWithin(own, realpathSync(granted)) || isWithin(realpathSync(granted), own)),
  ).toEqual([])
  expect(read).toContain("/usr/bin")
})
