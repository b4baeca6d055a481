/** A shipped plugin as a gateway has it: built, installed, granted and behind every check. */
import { type House, openHouse, type Started } from "../house.ts"
import { readBuilt } from "./built.ts"

export type Installed = Started & { house: House }

export async function install(
  name: string,
  capabilities: string[],
  more: { secrets?: Record<string, string> } = {},
): Promise<Installed> {
  const { module, manifest } = await readBuilt(name)
  await using stack = new AsyncDisposableStack()
  const house = stack.use(await openHouse())
  house.write(name, module, manifest)
  const started = stack.use(await house.start([house.config(name, { capabilities })], more))
  const kept = stack.move()
  return { ...started, house, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
