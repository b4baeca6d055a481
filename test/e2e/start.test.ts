import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { chmodSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { startModel, temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { configFor, type Ran, run, startWeft } from "./weft.ts"

const newer_version = 999

const gateway = (home: string, ...args: string[]) => run(["gateway", "--port", "0", "--home", home, ...args])

/** A refusal is for the person who started it: a sentence, what it is about, and nothing of our insides. */
function expectRefused({ status, out, err }: Ran, exit: number, sentence: string): void {
  expect(err.split("\n")[0]).toBe(`weft: ${sentence}`)
  expect({ status, out }).toEqual({ status: exit, out: "" })
  expect(err).not.toMatch(/^\s+at |\.ts:|incident/m)
}

test("a second gateway on a home is refused with the first one's pid and address, until that is killed", async () => {
  await using folder = await temporaryFolder()
  {
    await using first = await startWeft({ home: folder.path })
    const refused = await gateway(folder.path)
    expectRefused(refused, 75, "Another process holds this home; stop it or use another --home.")
    expect(refused.err).toContain(`pid: ${first.pid}\n`)
    expect(refused.err).toContain(`url: ${first.url}\n`)
    const told = await gateway(folder.path, "--json")
    expect(JSON.parse(told.err)).toMatchObject({
      error: { code: "already_running", data: { pid: first.pid } },
    })
    first.kill("SIGKILL")
    await first.exited
  }
  await using second = await startWeft({ home: folder.path })
  expect((await second.fetch("/health")).status).toBe(200)
})

test("of gateways that are started at once on one home, one runs and names itself to the others", async () => {
  await using folder = await temporaryFolder()
  const starts = Array.from({ length: 4 }, () => startWeft({ home: folder.path }))
  const settled = await Promise.allSettled(starts)
  const [running, ...more] = settled.filter(({ status }) => status === "fulfilled")
  await using first = (running as PromiseFulfilledResult<Awaited<(typeof starts)[0]>>).value
  expect(more).toEqual([])
  for (const one of settled) {
    if (one.status === "rejected") expect(String(one.reason)).toContain(`"pid":${first.pid}`)
  }
})

/** A command that runs in process, and has the home until its model is let go. */
async function startHolder(home: string) {
  const asked = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const model = startModel(function* () {
    asked.resolve()
    yield { until: released.promise }
    yield "done"
  })
  await Bun.write(join(home, "config.toml"), configFor(model))
  const ended = run(["agent", "-m", "hello", "--home", home])
  await asked.promise
  return { ended, release: released.resolve, [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() }
}

test("a command that runs in process waits for its turn on the home", async () => {
  await using folder = await temporaryFolder()
  await using holder = await startHolder(folder.path)
  const second = run(["session", "list", "--json", "--home", folder.path])
  holder.release()
  expect(await holder.ended).toEqual({ status: 0, out: "done\n", err: "" })
  const { status, out } = await second
  expect(status).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ sessions: [{ message_count: 2 }] })
})

test("a gateway waits for a command that runs in process", async () => {
  await using folder = await temporaryFolder()
  await using holder = await startHolder(folder.path)
  const starting = startWeft({ home: folder.path })
  holder.release()
  expect((await holder.ended).out).toBe("done\n")
  await using gateway = await starting
  expect((await gateway.fetch("/health")).status).toBe(200)
})

test("a command that runs in process gives up after five seconds and names the holder", async () => {
  await using folder = await temporaryFolder()
  await using holder = await startHolder(folder.path)
  const { pid } = (await Bun.file(join(folder.path, "gateway.json")).json()) as { pid: number }
  const refused = await run(["session", "list", "--home", folder.path])
  holder.release()
  await holder.ended
  expectRefused(refused, 75, "Another process holds this home; stop it or use another --home.")
  expect(refused.err).toContain(`pid: ${pid}\n`)
}, 30_000)

needs({ command: "strace" })(
  "a command that comes while the gateway starts is answered by that",
  async () => {
    await using folder = await temporaryFolder()
    const slow = ["-e", "trace=listen", "-e", "inject=listen:delay_enter=300000"]
    const through = ["strace", "-f", "-o", join(folder.path, "trace"), ...slow]
    const home = join(folder.path, "home")
    const starting = startWeft({ home, through })
    while (!existsSync(join(home, "gateway.json"))) await Bun.sleep(1)
    const { status, err } = await run(["agent", "-m", "hello", "--home", home])
    expect({ status, err }).toEqual({ status: 0, err: "" })
    await using gateway = await starting
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "status" })
    const response = await gateway.fetch("/rpc", { method: "POST", body })
    expect(await response.json()).toMatchObject({ result: { sessions: 1 } })
  },
)

test("a port that is taken is refused in a sentence", async () => {
  await using folder = await temporaryFolder()
  await using first = await startWeft({ home: join(folder.path, "first") })
  const { port } = new URL(first.url)
  const refused = await run(["gateway", "--port", port, "--home", join(folder.path, "second")])
  expectRefused(
    refused,
    69,
    "That address and port cannot be listened on; pick others with --bind and --port.",
  )
  expect(refused.err).toContain(`port: ${port}\n`)
})

const config_error = "The configuration is not valid."
const storage_error = "The database could not be written. Is the disk full?"

const starts: [title: string, exit: number, sentence: string, (home: string) => Promise<Ran>][] = [
  [
    "an address of another machine",
    69,
    "That address and port cannot be listened on; pick others with --bind and --port.",
    (home) => gateway(home, "--bind", "192.0.2.1"),
  ],
  [
    "no token on an open address",
    78,
    config_error,
    (home) => gateway(home, "--bind", "0.0.0.0", "--auth", "none"),
  ],
  ["a broken configuration", 78, config_error, (home) => withConfig(home, "[gateway\nport = 1")],
  ["a value of the wrong type", 78, config_error, (home) => withConfig(home, 'gateway.queue_max = "many"')],
  ["a certificate that is not there", 78, config_error, (home) => withConfig(home, tls("missing.pem"))],
  ["a certificate that is none", 78, config_error, (home) => withConfig(home, tls("config.toml"))],
  ["a configuration that is a folder", 78, config_error, configFolder],
  [
    "a named configuration that is not there",
    78,
    config_error,
    (home) => gateway(home, "--config", "/none.toml"),
  ],
  ["a home below a file", 78, config_error, belowFile],
  ["a home that cannot be made", 74, storage_error, () => gateway("/proc/weft")],
  ["a home that is a file", 78, config_error, fileAsHome],
  [
    "a short token",
    78,
    config_error,
    (home) => run(["gateway", "--port", "0", "--home", home], { env: { WEFT_TOKEN: "short" } }),
  ],
  ["a store that is none", 74, "The database is damaged; it was left untouched. Restore a backup.", damaged],
]

test.each(starts)(
  "a start with %s ends with status %i and a sentence",
  async (_title, exit, sentence, start) => {
    await using folder = await temporaryFolder()
    expectRefused(await start(folder.path), exit, sentence)
  },
)

async function withConfig(home: string, text: string): Promise<Ran> {
  await Bun.write(join(home, "config.toml"), text)
  return gateway(home)
}

const tls = (path: string) => `[gateway.tls]\ncert = "${path}"\nkey = "${path}"\n`

async function configFolder(home: string): Promise<Ran> {
  mkdirSync(join(home, "config.toml"))
  return gateway(home)
}

async function belowFile(home: string): Promise<Ran> {
  await Bun.write(join(home, "file"), "")
  return gateway(join(home, "file", "home"))
}

async function fileAsHome(home: string): Promise<Ran> {
  await Bun.write(join(home, "file"), "")
  return gateway(join(home, "file"))
}

async function damaged(home: string): Promise<Ran> {
  const path = join(home, "weft.db")
  const bytes = new Uint8Array(8192).fill(120)
  await Bun.write(path, bytes)
  const ran = await gateway(home)
  expect(await Bun.file(path).bytes()).toEqual(bytes)
  return ran
}

needs({ root: true, command: "setpriv" })("somebody else's home is refused in a sentence", async () => {
  await using folder = await temporaryFolder()
  chmodSync(folder.path, 0o755)
  const through = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  const refused = await run(["gateway", "--port", "0", "--home", folder.path], { through })
  expectRefused(refused, 74, storage_error)
})

needs({ tmpfs: true })("a read-only home is refused in a sentence", async () => {
  await using folder = await temporaryFolder()
  const mount = (...args: string[]) => expect(Bun.spawnSync(["mount", ...args, folder.path]).exitCode).toBe(0)
  mount("-t", "tmpfs", "tmpfs")
  using _mounted = { [Symbol.dispose]: () => void Bun.spawnSync(["umount", folder.path]) }
  mount("-o", "remount,ro")
  expectRefused(await gateway(folder.path), 74, storage_error)
})

test.each(["WAL", "DELETE"])(
  "a store of a newer version is refused and left as it is, in mode %s",
  async (mode) => {
    await using folder = await temporaryFolder()
    {
      await using first = await startWeft({ home: folder.path })
      first.kill("SIGTERM")
      await first.exited
    }
    const path = join(folder.path, "weft.db")
    // Kept open, so that what it wrote is still in the log, as after a crash.
    using db = new Database(path)
    db.run(`PRAGMA journal_mode = ${mode}; PRAGMA user_version = ${newer_version}`)
    const files = [path, ...(mode === "WAL" ? [`${path}-wal`] : [])]
    const read = () => Promise.all(files.map((file) => Bun.file(file).bytes()))
    const before = await read()
    const refused = await gateway(folder.path)
    expectRefused(refused, 78, "The database was written by a newer version; it was left untouched.")
    expect(refused.err).toContain(`version: ${newer_version}\n`)
    expect(await read()).toEqual(before)
  },
)
