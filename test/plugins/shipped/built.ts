/** The shipped plugins, built before any test's time begins to count. */
import { join } from "node:path"
import { buildPlugins, plugins_folder } from "../../../scripts/plugins.ts"

const { skipped } = await buildPlugins()

/** Its module and its manifest. Throws where its compiler is not on this machine: tests ask for that before. */
export async function readBuilt(name: string): Promise<{ module: Uint8Array; manifest: string }> {
  const left_out = skipped.find((one) => one.name === name)
  if (left_out) throw new Error(left_out.reason)
  const file = (end: string) => Bun.file(join(plugins_folder, `${name}.${end}`))
  return { module: await file("wasm").bytes(), manifest: await file("toml").text() }
}
