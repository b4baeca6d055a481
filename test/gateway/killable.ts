import { join, resolve } from "node:path"
import type { Model } from "../harness.ts"

type Options = { home: string; model: Model; mock: string; env?: Record<string, string> }

export type Killable = AsyncDisposable & {
  url: string
  kill(): Promise<unknown>
  /** Answers the whole log. */
  stop(): Promise<string>
}

/** A gateway with a scripted model and a channel (`mockConfig`), in a process of its own, which may be killed. */
export async function startKillable({ home, model, mock, env = {} }: Options): Promise<Killable> {
  const provider = `[providers.script]\nkind = "openai-compatible"\nbase_url = "${model.url}"\n`
  const config = `[agent]\nprovider = "script"\nmodel = "scripted"\n${provider}${mock}`
  await Bun.write(join(home, "config.toml"), config)
  const argv = [process.execPath, resolve("src/main.ts"), "gateway", "--json", "--home", home, "--port", "0"]
  const { PATH = "" } = process.env
  const child = Bun.spawn(argv, {
    env: { PATH, HOME: home, ...env },
    stdout: "pipe",
    stderr: "pipe",
    cwd: home,
  })
  const log = new Response(child.stderr).text()
  let said = ""
  for await (const bytes of child.stdout) {
    said += new TextDecoder().decode(bytes)
    if (said.includes("\n")) break
  }
  if (!said.includes("\n")) throw new Error(`the gateway did not start: ${await log}`)
  const { url } = JSON.parse(said.split("\n")[0]!) as { url: string }
  const end = (signal: "SIGKILL" | "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return child.exited
  }
  return {
    url,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM").then(() => log),
    [Symbol.asyncDispose]: async () => void (await end("SIGKILL")),
  }
}
