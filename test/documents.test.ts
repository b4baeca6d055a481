/** The documents that people wrote: what they show works, and what they point to is there. */
import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { startGateway, temporaryFolder } from "./harness.ts"
import { needs } from "./needs.ts"

const readme = await Bun.file("README.md").text()
const documents = ["README.md", "AGENTS.md", "CHANGELOG.md", ...new Bun.Glob("docs/**/*.md").scanSync(".")]

/** The README's blocks of one language. */
const blocks = (language: string) =>
  [...readme.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text!)

/** Runs a command of the README against a gateway that listens and lives elsewhere than the README says. */
async function run(command: string[], home: string): Promise<string> {
  const child = Bun.spawn(command, {
    env: { ...process.env, WEFT_HOME: home },
    stdout: "pipe",
    stderr: "pipe",
  })
  const out = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return out
}

test.each(blocks("ts"))("the README's TypeScript gets an answer %#", async (text) => {
  await using gateway = await startGateway()
  await using folder = await temporaryFolder()
  const path = join(folder.path, "snippet.ts")
  await Bun.write(
    path,
    text.replace("127.0.0.1:7200", `127.0.0.1:${gateway.port}`).replace("./src", resolve("src")),
  )
  expect(await run([process.execPath, path], gateway.home)).toContain('You said: "Hello"')
})

needs({ command: "curl" })("the README's curl gets a streamed answer", async () => {
  await using gateway = await startGateway()
  const command = blocks("sh").find((block) => block.startsWith("curl"))!
  const here = command.replaceAll("~/.weft", gateway.home).replace(":7200", `:${gateway.port}`)
  expect(await run(["sh", "-c", here], gateway.home)).toEndWith("data: [DONE]\n\n")
})

test("the README's frames are answered", async () => {
  await using gateway = await startGateway()
  const frames = blocks("json")[0]!.trim().split("\n")
  const headers = { authorization: `Bearer ${gateway.token}` }
  for (const frame of frames) {
    const response = await fetch(`${gateway.url}/rpc`, { method: "POST", headers, body: frame })
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", result: expect.anything() })
  }
})

test("the README's configuration is accepted without a warning", async () => {
  await using gateway = await startGateway({
    config: blocks("toml")[0]!,
    env: { ANTHROPIC_API_KEY: "a key" },
  })
  expect(gateway.warnings).toEqual([])
})

test.each(documents)("what %s points to is there", async (path) => {
  const text = await Bun.file(path).text()
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!.replace(/#.*$/, ""))
  const own = targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target))
  expect(own.filter((target) => !existsSync(join(dirname(path), target)))).toEqual([])
})

test("AGENTS.md can be read in one go", async () => {
  expect((await Bun.file("AGENTS.md").text()).trimEnd().split("\n").length).toBeLessThanOrEqual(120)
})
