/** What runs in threads runs in them in the executable, too, where their files are elsewhere. */
import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "../harness.ts"
import { startWeft } from "./weft.ts"

test("in the executable a search, a page and a shell string find their threads", async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, "home")
  mkdirSync(join(home, "agents/default/workspace"), { recursive: true })
  writeFileSync(join(home, "agents/default/workspace/notes.txt"), "first\nthe needle\n")
  using site = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    fetch: () =>
      new Response("<html><body><h2>Title</h2></body></html>", { headers: { "content-type": "text/html" } }),
  })
  const host = `127.0.0.1:${site.port}`
  const config = `
[agent]
tools = ["*"]
[agent.permissions]
allow = ["read", "web_fetch:${host}", "exec:ls"]
# So that no ripgrep runs.
[agent.sandbox]
mode = "off"
`
  const asks: [string, object, string][] = [
    ["search_files", { pattern: "needle" }, "notes.txt:2: the needle"],
    ["web_fetch", { url: `http://${host}/` }, "\n## Title\n"],
    ["exec", { command: "ls && ls -a" }, "notes.txt"],
  ]
  await using gateway = await startWeft({ home, config })
  await using client = await gateway.client()
  for (const [name, input, content] of asks) {
    const { result } = await client.call("tool.call", { name, input })
    expect([name, result]).toMatchObject([
      name,
      { content: expect.stringContaining(content), is_error: false },
    ])
  }
})
