import { expect } from "bun:test"
import { startGateway } from "../harness.ts"
import { needs } from "../needs.ts"

/** Runs in the page: what the gateway serves at /client.js talks to the gateway that the page came from. */
const program = (token: string) => `(async () => {
  const { connect } = await import("/client.js")
  const client = await connect({ url: location.href, token: ${JSON.stringify(token)} })
  const view = await client.chat("hello from a page").collect()
  client.close()
  return JSON.stringify(view)
})()`

needs({ command: "chromium" })(
  "a page of the gateway loads the client from it and has a turn",
  async () => {
    await using gateway = await startGateway()
    await using page = new Bun.WebView({
      // Containers rarely allow Chromium a sandbox of its own; it sees one page of ours.
      backend: { type: "chrome", path: Bun.which("chromium")!, argv: ["--no-sandbox"] },
    })
    await page.navigate(`${gateway.url}/`)
    const view = JSON.parse((await page.evaluate(program(gateway.token))) as string)
    expect(view).toMatchObject({ stop_reason: "end", session_key: "default:ws:default:main" })
    expect(view.text).toContain('"hello from a page"')
  },
  30_000,
)
