/** A shipped plugin as a gateway has it: built, installed, granted and behind every check. */
import { join } from "node:path"
import { buildPlugins, plugins_folder } from "../../../scripts/plugins.ts"
import { type House, openHouse, type Started } from "../house.ts"

export type Installed = Started & { house: House }

export async function install(
  name: string,
  capabilities: string[],
  more: { secrets?: Record<string, string> } = {},
): Promise<Installed> {
  const { skipped } = await buildPlugins([name])
  if (skipped[0]) throw new Error(skipped[0].reason)
  await using stack = new AsyncDisposableStack()
  const house = stack.use(await openHouse())
  const file = (end: string) => Bun.file(join(plugins_folder, `${name}.${end}`))
  house.write(name, await file("wasm").bytes(), await file("toml").text())
  const started = stack.use(await house.start([house.config(name, { capabilities })], more))
  const kept = stack.move()
  return { ...started, house, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
