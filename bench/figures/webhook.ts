import { createHmac } from "node:crypto"
import { join } from "node:path"
import { buildPlugins, plugins_folder } from "../../scripts/plugins.ts"
import { type Bench, quantile } from "../measure.ts"
import { makeHome, startGateway, startProvider } from "../servers.ts"

const secret = "the secret of a benchmark's platform"

const configFor = (provider_url: string) => `
[agent]
provider = "bench"
model = "instant"
[providers.bench]
kind = "openai-compatible"
base_url = "${provider_url}"
api_key = "none"
[[plugins]]
name = "mock-channel"
path = ${JSON.stringify(join(plugins_folder, "mock-channel.wasm"))}
[channels.mock]
plugin = "mock-channel"
signature = "hmac-sha256"
secret = "${secret}"
`

/** From the signed request to the answer in its response: two calls of the adapter, three commits and one model call. */
export const webhook: Bench = {
  name: "webhook",
  async measure({ quick }) {
    await buildPlugins(["mock-channel"])
    using home = makeHome()
    await using provider = await startProvider()
    await Bun.write(join(home.path, "weft/config.toml"), configFor(provider.url))
    await using gateway = await startGateway(home)
    const deliver = async (n: number) => {
      const body = JSON.stringify({ text: `message ${n}`, from: "bench" })
      const digest = createHmac("sha256", secret).update(body).digest("hex")
      const headers = { "x-signature-256": `sha256=${digest}` }
      const begun = performance.now()
      const response = await fetch(`http://127.0.0.1:${gateway.port}/webhook/mock`, {
        method: "POST",
        headers,
        body,
      })
      const text = await response.text()
      if (!text.startsWith('{"chat":"bench"')) throw new Error(`the webhook was answered ${text}`)
      return performance.now() - begun
    }
    for (let n = 0; n < 20; n++) await deliver(n)
    const times: number[] = []
    for (let n = 0; n < (quick ? 100 : 1000); n++) times.push(await deliver(20 + n))
    const note = `p99 ${quantile(times, 0.99).toFixed(1)} ms`
    const title = "a webhook in and its answer out through mock-channel, instant model, p50"
    return [{ name: "webhook_p50", title, unit: "ms", value: quantile(times, 0.5), note }]
  },
}
