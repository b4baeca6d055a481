import { openFetch } from "../../src/security/web/fetch.ts"
import type { ToolContext } from "../../src/tools/tool.ts"
import { webFetch as tool } from "../../src/tools/web-fetch.ts"
import { articlePage } from "../../test/tools/page.ts"
import { type Bench, median } from "../measure.ts"

const page_bytes = 170_000

/** The whole call, from the URL to what the model reads, over a socket of this machine. */
export const webFetch: Bench = {
  name: "web_fetch",
  async measure({ quick }) {
    const page = articlePage(page_bytes)
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }),
    })
    const context = {
      fetch: openFetch({
        permit: () => undefined,
        isOpened: (host, port) => host === "127.0.0.1" && port === server.port,
      }),
      signal: new AbortController().signal,
    } as unknown as ToolContext
    const call = async () => {
      const begun = performance.now()
      const said = await tool.run(tool.parse({ url: `http://127.0.0.1:${server.port}/` }), context)
      const took = performance.now() - begun
      if (typeof said !== "string" || !said.includes("## Chapter 1\n"))
        throw new Error("the page did not become readable")
      return took
    }
    const first = await call()
    const times: number[] = []
    for (let i = 0; i < (quick ? 5 : 30); i++) times.push(await call())
    return [
      {
        name: "web_fetch",
        title: "`web_fetch` of an article of 170 kB, as markdown",
        unit: "ms",
        value: median(times),
        note: `the first ${first.toFixed(0)} ms`,
      },
    ]
  },
}
