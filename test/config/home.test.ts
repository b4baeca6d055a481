import { expect, test } from "bun:test"
import { stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { findHome, makeHome } from "../../src/config/home.ts"
import { temporaryFolder } from "./temporary-folder.ts"

const env = { HOME: "/home/ada" }

test.each([
  [{}, {}, { home: "/home/ada/.weft", config_path: "/home/ada/.weft/config.toml", config_named: false }],
  [{}, { WEFT_HOME: "/w" }, { home: "/w", config_path: "/w/config.toml", config_named: false }],
  [{ home: "/f" }, { WEFT_HOME: "/w" }, { home: "/f", config_path: "/f/config.toml", config_named: false }],
  [{}, { WEFT_CONFIG: "/c.toml" }, { home: "/home/ada/.weft", config_path: "/c.toml", config_named: true }],
  [
    {},
    { EXOCLAW_CONFIG: "/e.toml" },
    { home: "/home/ada/.weft", config_path: "/e.toml", config_named: true },
  ],
  [
    { config: "~/mine.toml" },
    { WEFT_CONFIG: "/c.toml", EXOCLAW_CONFIG: "/e.toml" },
    { home: "/home/ada/.weft", config_path: "/home/ada/mine.toml", config_named: true },
  ],
  [{ home: "~" }, {}, { home: "/home/ada", config_path: "/home/ada/config.toml", config_named: false }],
])("%o with %o", (options, more, expected) => {
  expect(findHome(options, { ...env, ...more })).toEqual(expected)
})

test("a relative path starts in the working directory", () => {
  expect(findHome({ home: "state", config: "c.toml" }, env)).toMatchObject({
    home: resolve("state"),
    config_path: resolve("c.toml"),
  })
})

test("a new home belongs to its owner alone", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "deep", "home")
  makeHome(home)
  makeHome(home)
  expect((await stat(home)).mode & 0o777).toBe(0o700)
})

test("a home that cannot be made is an error with its reason", async () => {
  await using folder = await temporaryFolder()
  await Bun.write(join(folder.path, "file"), "")
  const path = join(folder.path, "file", "home")
  expect(() => makeHome(path)).toThrow(
    expect.objectContaining({ code: "storage_failed", data: { path, reason: "ENOTDIR" } }),
  )
})
