/** A gateway with a channel of mock-channel, and a platform that signs what it sends there. */
import { createHmac } from "node:crypto"
import { join } from "node:path"
import { buildPlugins, plugins_folder } from "../../scripts/plugins.ts"
import type { Limits } from "../../src/gateway/limits.ts"
import { type Model, type Started, startGateway, startModel, temporaryFolder } from "../harness.ts"

// Before the first test, whose time it is not.
await buildPlugins(["mock-channel"])

export const secret = "a secret of more than 16 characters"

/** The configuration of plugin and channel. */
export const mockConfig = ({ capabilities = [] as string[], channel = "" } = {}) =>
  `[[plugins]]
name = "mock-channel"
path = ${JSON.stringify(join(plugins_folder, "mock-channel.wasm"))}
capabilities = ${JSON.stringify(capabilities)}
[channels.mock]
plugin = "mock-channel"
signature = "hmac-sha256"
secret = ${JSON.stringify(secret)}
${channel}
`

export const sign = (body: string, key = secret) =>
  `sha256=${createHmac("sha256", key).update(body).digest("hex")}`

/** One delivery, signed unless it says otherwise. */
export function deliver(
  { url }: Pick<Started, "url">,
  event: unknown,
  { channel = "mock", headers }: { channel?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const body = typeof event === "string" ? event : JSON.stringify(event)
  return fetch(`${url}/webhook/${channel}`, {
    method: "POST",
    headers: headers ?? { "x-signature-256": sign(body) },
    body,
  })
}

export const told = async (response: Response) => [response.status, await response.text()] as const

export type Platform = AsyncDisposable & { gateway: Started; model: Model; home: string }

type Options = {
  script?: Parameters<typeof startModel>[0]
  config?: string
  capabilities?: string[]
  /** Further lines of the channel's table. */
  channel?: string
  home?: string
  limits?: Partial<Limits>
}

export async function startPlatform({
  script = () => ["Hello!"],
  ...options
}: Options = {}): Promise<Platform> {
  await using stack = new AsyncDisposableStack()
  const home = options.home ?? stack.use(await temporaryFolder()).path
  const model = stack.use(startModel(script))
  const { config = "", limits = {} } = options
  const gateway = stack.use(
    await startGateway({
      home,
      model,
      config: `${config}\n${mockConfig(options)}`,
      limits,
      log_level: "error",
    }),
  )
  const kept = stack.move()
  return { gateway, model, home, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
