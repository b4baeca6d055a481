import { expect, test } from "bun:test"
import { mkdir, rename, rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import type { Home } from "../../src/config/home.ts"
import { readConfig } from "../../src/config/read.ts"
import { type ConfigChange, watchConfig } from "../../src/config/watch.ts"
import { sections } from "../../src/registry.ts"
import { names } from "./needs.ts"
import { temporaryFolder } from "./temporary-folder.ts"

/** A home with this configuration, watched until the end of the scope. */
async function watched(text?: string) {
  const folder = await temporaryFolder()
  const path = join(folder.path, "config.toml")
  if (text !== undefined) await Bun.write(path, text)
  const home: Home = { home: folder.path, config_path: path, config_named: false }
  const load = () => readConfig({ home, sections, names, env: {} })
  const stop = new AbortController()
  const changes = await watchConfig({ home, text: "# another", load, signal: stop.signal })
  // The first look is at what was saved before; every later one has been woken by the folder.
  await changes.next()
  return {
    path,
    stop,
    changes,
    next: async () => portOf((await changes.next()).value!),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await changes.return(undefined)
      await folder[Symbol.asyncDispose]()
    },
  }
}

const portOf = ({ loaded, error }: ConfigChange<Awaited<ReturnType<typeof readConfig<typeof sections>>>>) =>
  loaded ? loaded.config.gateway.port : error.data.key

test("a saved change is loaded; a broken one is told, and what follows it is loaded again", async () => {
  await using config = await watched("gateway.port = 1")
  await Bun.write(config.path, "gateway.port = 2")
  expect(await config.next()).toBe(2)
  await Bun.write(config.path, "gateway.port = 'x'")
  expect(await config.next()).toBe("gateway.port")
  await Bun.write(config.path, "gateway.port = 3")
  expect(await config.next()).toBe(3)
})

test("a file that replaces the old one by a rename is one change", async () => {
  await using config = await watched("gateway.port = 1")
  await Bun.write(`${config.path}.new`, "gateway.port = 2")
  await rename(`${config.path}.new`, config.path)
  expect(await config.next()).toBe(2)
})

test("a mounted folder whose link is turned to another one is a change", async () => {
  await using config = await watched("gateway.port = 1")
  const folder = join(config.path, "..")
  await Bun.write(join(folder, "..old", "config.toml"), "gateway.port = 2")
  await Bun.write(join(folder, "..new", "config.toml"), "gateway.port = 3")
  await symlink("..old", join(folder, "..data"))
  await symlink("..data/config.toml", `${config.path}.new`)
  await rename(`${config.path}.new`, config.path)
  expect(await config.next()).toBe(2)
  await symlink("..new", join(folder, "..data.new"))
  await rename(join(folder, "..data.new"), join(folder, "..data"))
  expect(await config.next()).toBe(3)
})

test("a file that appears later is found", async () => {
  await using config = await watched()
  await Bun.write(config.path, "gateway.port = 2")
  expect(await config.next()).toBe(2)
})

test("a file that is removed is told and is no wish for the defaults", async () => {
  await using config = await watched("gateway.port = 1")
  await rm(config.path)
  expect((await config.changes.next()).value!.error).toMatchObject({
    code: "invalid_config",
    data: { file: config.path, got: "no such file" },
  })
  await Bun.write(config.path, "gateway.port = 2")
  expect(await config.next()).toBe(2)
})

test("what is not the configuration, or does not change it, is no change", async () => {
  await using config = await watched("gateway.port = 1")
  await mkdir(join(config.path, "..", "logs"))
  await Bun.write(join(config.path, "..", "weft.db-wal"), "x")
  await Bun.write(config.path, "gateway.port = 1")
  await Bun.write(config.path, "gateway.port = 2")
  expect(await config.next()).toBe(2)
})

test("what was saved between the first load and the watching is the first change", async () => {
  await using folder = await temporaryFolder()
  const home = { home: folder.path, config_path: join(folder.path, "config.toml"), config_named: false }
  await Bun.write(home.config_path, "gateway.port = 2")
  const load = () => readConfig({ home, sections, names, env: {} })
  const stop = new AbortController()
  const changes = await watchConfig({ home, text: "gateway.port = 1", load, signal: stop.signal })
  expect(portOf((await changes.next()).value!)).toBe(2)
  stop.abort()
  expect(await changes.next()).toEqual({ done: true, value: undefined })
})

test("the signal ends it while it waits", async () => {
  await using config = await watched("gateway.port = 1")
  const next = config.changes.next()
  config.stop.abort()
  expect(await next).toEqual({ done: true, value: undefined })
})

test("a bug in what loads it is not taken for a configuration that is wrong", async () => {
  await using folder = await temporaryFolder()
  const home = { home: folder.path, config_path: join(folder.path, "config.toml"), config_named: false }
  await Bun.write(home.config_path, "gateway.port = 2")
  const load = () => Promise.reject(new TypeError("a bug"))
  const changes = await watchConfig({ home, text: "", load, signal: new AbortController().signal })
  await expect(changes.next()).rejects.toThrow("a bug")
})
