import type { LoadEngine } from "./engine.ts"

/**
 * A reactor that gives back what it is given, after it has called `weft.log` with it. It imports `fd_write` and does not
 * use it.
 */
const smallest = Uint8Array.fromBase64(
  "AGFzbQEAAAABGgRgAn9/AX9gBH9/f38Bf2ABfwF/YAJ/fwF+Ai4CBHdlZnQDbG9nAAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQhmZF93cml0ZQAB" +
    "AwMCAgMFAwEAAQceAwZtZW1vcnkCAAp3ZWZ0X2FsbG9jAAIEY2FsbAADChoCBABBCAsTACAAIAEQABogAK1CIIYgAa2ECw==",
)

/** After these many calls a further one is no faster. */
const calls = 8

/** Goes the way of a call, so that the first one of a plugin does not have to wait until it is compiled. */
export async function warmUp(load: LoadEngine): Promise<void> {
  const limits = { engine: "reactor", output_bytes_max: 1024, memory_pages_max: 1 } as const
  const nothing = { error: 0, bytes: new Uint8Array() }
  const { call } = await load(limits, smallest, () => nothing)
  const input = Buffer.from("{}")
  for (let i = 0; i < calls; i++) await call({ function: "call", env: {} }, input)
}
