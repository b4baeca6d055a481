import { expect, test } from "bun:test"
import { chmod } from "node:fs/promises"
import { join } from "node:path"
import { readConfig } from "../../src/config/read.ts"
import { changesNeedingRestart } from "../../src/config/restart.ts"
import { sections } from "../../src/registry.ts"
import { load, names } from "./needs.ts"
import { temporaryFolder } from "./temporary-folder.ts"

const read = (config_path: string, config_named: boolean) =>
  readConfig({ home: { home: "/unused", config_path, config_named }, sections, names, env: {} })

test("the default file may be missing, one that somebody named may not", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "config.toml")
  expect((await read(path, false)).config.gateway.port).toBe(7200)
  await expect(read(path, true)).rejects.toMatchObject({
    code: "invalid_config",
    data: { file: path, got: "no such file" },
  })
})

test("a folder, other bytes than UTF-8 and a file without end are refused", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "config.toml")
  await expect(read(folder.path, false)).rejects.toMatchObject({ data: { got: "EISDIR" } })
  await Bun.write(path, new Uint8Array([0x61, 0x3d, 0xff]))
  await expect(read(path, false)).rejects.toMatchObject({ data: { file: path, expected: "UTF-8" } })
  await Bun.write(path, "#".repeat(5_000_000))
  await expect(read(path, false)).rejects.toMatchObject({ data: { file: path, expected: "at most 4 MiB" } })
})

test("secrets are read from beside the file, and a byte order mark is no part of it", async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, "config.toml")
  await Bun.write(path, '\ufeff[secrets]\nA = { file = "a.key" }\n')
  await Bun.write(join(folder.path, "a.key"), "secret\n")
  await chmod(join(folder.path, "a.key"), 0o600)
  const { config, warnings } = await read(path, false)
  expect(config.secrets).toEqual({ A: "secret" })
  expect(warnings).toEqual([])
})

test("what needs a restart is said by key, the rest is not", async () => {
  const { config: old } = await load("[agent]\nmodel = 'a'")
  const changed =
    "[gateway]\nport = 1\nqueue_max = 1\npayload_bytes_max = 2048\ntls = { cert = 'c', key = 'k' }"
  const { config: now } = await load(`${changed}\n[agent]\nmodel = 'b'`)
  expect(changesNeedingRestart(old, now, sections)).toEqual([
    "gateway.port",
    "gateway.tls",
    "gateway.payload_bytes_max",
  ])
  expect(changesNeedingRestart(now, structuredClone(now), sections)).toEqual([])
})
