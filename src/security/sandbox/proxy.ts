import { closeSync, constants, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { matchesHost, namesLocal, splitHost } from "../patterns.ts"
import { ToolDenied } from "../target.ts"
import { startProxy } from "../web/proxy.ts"
import { newName } from "./remove.ts"

/** What an address of a Unix socket holds, without its final zero. */
const address_bytes_max = 107

export type SandboxProxy = AsyncDisposable & { path: string }

/** The way out for sandboxed programs: a proxy that leads to the hosts of these patterns and to no other. */
export async function startSandboxProxy(
  network: readonly string[],
  run_folder: string,
): Promise<SandboxProxy> {
  mkdirSync(run_folder, { recursive: true, mode: 0o700 })
  const name = `${newName()}.sock`
  const folder = openSync(run_folder, constants.O_RDONLY | constants.O_DIRECTORY)
  const path = join(run_folder, name)
  const is_long = Buffer.byteLength(path) > address_bytes_max
  try {
    const proxy = await startProxy({
      path: is_long ? `/proc/self/fd/${folder}/${name}` : path,
      permit({ text }) {
        const { name: host, port } = splitHost(text)
        if (!network.some((pattern) => matchesHost(pattern, host, Number(port))))
          throw new ToolDenied(`The agent's sandbox does not let programs reach ${text}.`)
      },
      // What it resolves to may be on this machine where a pattern means that.
      isOpened: (host, port) =>
        network.some((pattern) => namesLocal(pattern) && matchesHost(pattern, host, port)),
    })
    return {
      path,
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]()
        closeSync(folder)
      },
    }
  } catch (thrown) {
    closeSync(folder)
    throw thrown
  }
}
