/** What an agent is given hands for: it finds, reads and edits a file, runs a project's tests and fetches a page. */
import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Frame, RawClient } from "../harness.ts"
import { startModel, temporaryFolder } from "../harness.ts"
import { configFor, startWeft } from "./weft.ts"

const page = `<html><head><title>Rounding</title></head><body><nav>menu</nav><article><h1>Rounding</h1>
<p>Half is rounded to the even neighbour, so that many roundings do not drift. ${"More of it. ".repeat(40)}</p>
</article></body></html>`

/** A project whose test fails until somebody mends it. */
function makeProject(workspace: string): void {
  mkdirSync(join(workspace, "project/src"), { recursive: true })
  writeFileSync(join(workspace, "project/src/add.sh"), "add() { echo $(($1 - $2)); }\n")
  const test = `#!/bin/sh\n. ./src/add.sh\n[ "$(add 2 3)" = 5 ] && echo "1 passed" || { echo "1 failed"; exit 1; }\n`
  writeFileSync(join(workspace, "project/test.sh"), test)
  chmodSync(join(workspace, "project/test.sh"), 0o755)
}

const work = (site: string) => [
  { tool: "search_files", input: { pattern: "\\$1 - \\$2" } },
  { tool: "read_file", input: { path: "project/src/add.sh" } },
  { tool: "exec", input: { command: ["./test.sh"], working_dir: "project" } },
  { tool: "edit_file", input: { path: "project/src/add.sh", old_text: "$1 - $2", new_text: "$1 + $2" } },
  { tool: "exec", input: { command: "./test.sh && echo all is well", working_dir: "project" } },
  { tool: "web_fetch", input: { url: site } },
]

type Step = { name: string; content: string; is_error: boolean }

const stepsOf = (events: Frame[]): Step[] =>
  events.flatMap(({ params }) => (params?.type === "tool_result" ? [params as unknown as Step] : []))

/** Sees what is asked, and allows it. */
async function allowing(client: RawClient): Promise<string[]> {
  await client.call("event.subscribe", { topics: ["approval.requested"] })
  const asked: string[] = []
  void (async () => {
    for (;;) {
      const { method, params } = await client.read()
      if (method !== "event") continue
      const { approval_id, hash, summary } = params!.data as Record<string, string>
      asked.push(summary!)
      client.send({
        ...{ jsonrpc: "2.0", id: asked.length, method: "approval.resolve" },
        params: { approval_id, hash, decision: "allow" },
      })
    }
  })().catch(() => "the socket is closed at the end")
  return asked
}

test.each(["a model", "the offline provider"])(
  "with %s an agent mends a project, asking where it should",
  async (who) => {
    await using folder = await temporaryFolder()
    const home = join(folder.path, "home")
    makeProject(join(home, "agents/default/workspace"))
    using site = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch: () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }),
    })
    const url = `http://127.0.0.1:${site.port}/rounding`
    const calls = work(url)
    await using model = startModel(function* ({ messages }) {
      const made = messages.filter(({ role }) => role === "tool").length
      const next = calls[made]
      if (next) yield { ...next, id: `call_${made}` }
      else yield "It adds now."
    })
    const offline = `[agent]\ntools = ["*"]\n`
    const config = who === "a model" ? configFor(model).replace("[agent]", '[agent]\ntools = ["*"]') : offline
    await using gateway = await startWeft({ home, config })
    await using operator = await gateway.client()
    const asked = await allowing(operator)
    await using client = await gateway.client()
    const events: Frame[] = []
    if (who === "a model") {
      const { result } = await client.call("chat.send", { content: "Mend the project." }, events)
      expect(result).toMatchObject({ text: "It adds now.", stop_reason: "end" })
    } else {
      for (const { tool, input } of calls) {
        await client.call("chat.send", { content: `/tool ${tool} ${JSON.stringify(input)}` }, events)
      }
    }

    const steps = stepsOf(events)
    expect(steps.map(({ name, is_error }) => `${name}${is_error ? " failed" : ""}`)).toEqual(
      calls.map(({ tool }) => tool),
    )
    const [found, read, before, edited, after, fetched] = steps.map(({ content }) => content)
    expect(found).toContain("project/src/add.sh:1:")
    expect(read).toContain("add() { echo $(($1 - $2)); }")
    expect(before).toContain("1 failed")
    expect(edited).toContain("+add() { echo $(($1 + $2)); }")
    expect(after).toMatch(/1 passed[\s\S]*all is well/)
    expect(fetched).toContain("Half is rounded to the even neighbour")
    expect(fetched).not.toContain("<p>")
    expect(readFileSync(join(home, "agents/default/workspace/project/src/add.sh"), "utf8")).toContain(
      "$1 + $2",
    )
    // Reading the workspace asks nobody; a program, a change and the web do, each shown as what it is.
    expect(asked).toHaveLength(4)
    expect(asked[0]).toContain("test.sh")
    expect(asked[1]).toContain("write project/src/add.sh")
    expect(asked[2]).toContain("echo all is well")
    expect(asked[3]).toContain(`network 127.0.0.1:${site.port}`)
  },
)
