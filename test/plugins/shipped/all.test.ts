import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { buildPlugins, pluginNames, plugins_folder } from "../../../scripts/plugins.ts"
import { readManifest } from "../../../src/plugins/description/manifest.ts"

await buildPlugins()

const there = pluginNames().filter((name) => existsSync(join(plugins_folder, `${name}.wasm`)))

test.each(there)("%s is small", async (name) => {
  const bytes = await Bun.file(join(plugins_folder, `${name}.wasm`)).bytes()
  expect(bytes.length).toBeLessThan(300_000)
  expect(Bun.gzipSync(bytes, { level: 9 }).length).toBeLessThan(120_000)
})

test.each(pluginNames())("the manifest of %s is one, and has its name", async (name) => {
  const path = join("plugins", name, `${name}.toml`)
  const manifest = await readManifest(await Bun.file(path).text(), path)
  expect(manifest.name).toBe(name)
})

test("what was built is not built again", async () => {
  expect((await buildPlugins(there)).built).toEqual([])
})
