import { expect } from "bun:test"
import { chmodSync, chownSync, copyFileSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { type Answer, asUser, type Box, openBox, sh, variants, walled } from "./box.ts"
import type { Outside } from "./probe.ts"

/** Somebody else's secret, services that count who comes, and a process that ends when it is signalled. */
async function openOutside(box: Box, user: number) {
  await using stack = new AsyncDisposableStack()
  const secret = join(box.outside, "secret")
  for (const path of [secret, join(box.home, "config.toml")]) {
    await Bun.write(path, "a canary sings")
    chmodSync(path, 0o600)
    chownSync(path, user, user)
  }
  const visitors = { count: 0 }
  const come = { open: () => void visitors.count++, data: () => undefined }
  const tcp = stack.use(Bun.listen({ hostname: "127.0.0.1", port: 0, socket: come }))
  const socket = join(box.folder, "s")
  const abstract = `weft-canary-${process.pid}`
  stack.use(Bun.listen({ unix: socket, socket: come }))
  chmodSync(socket, 0o666)
  stack.use(Bun.listen({ unix: `\0${abstract}`, socket: come }))
  const udp = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data: () => void visitors.count++ } })
  stack.defer(() => udp.close())
  const victim = Bun.spawn([...asUser(user), "/bin/sleep", "1000"], { stdio: ["ignore", "ignore", "ignore"] })
  stack.defer(async () => {
    victim.kill("SIGKILL")
    await victim.exited
  })
  const outside: Omit<Outside, "gateway"> = {
    ...{ folder: box.outside, home: box.home, victim: victim.pid },
    ...{ tcp: tcp.port, udp: udp.port, socket, abstract },
  }
  const kept = stack.move()
  return { outside, visitors, victim, secret, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The probe, in the workspace as a program that a model wrote would be. */
function probeIn(box: Box, outside: Omit<Outside, "gateway">): { argv: string[] } {
  copyFileSync(join(import.meta.dir, "probe.ts"), join(box.workspace, "probe.ts"))
  chmodSync(join(box.workspace, "probe.ts"), 0o644)
  const words = JSON.stringify(outside).replace("{", '{"gateway":GATEWAY_PID,')
  return { argv: [process.execPath, "probe.ts", words] }
}

function read({ stdout, stderr }: Answer): {
  found: Record<string, string>
  privileges: Record<string, string>
} {
  expect(stderr).toBe("")
  return JSON.parse(stdout)
}

const cases = variants.flatMap((variant) => [
  { variant, network: [] as string[] },
  // Then it has sockets, for the one way out that there is.
  ...(variant.bare ? [] : [{ variant, network: ["api.example.com"] }]),
])
for (const { variant, network } of cases) {
  /** Where a wall is missing for root, "require" would run nothing. */
  const mode = variant.bare && variant.user !== 0 ? "require" : "prefer"

  const with_network = network.length > 0 ? ", with a proxy" : ""

  walled(`no way out is open to a program of ${variant.name}${with_network}`, async () => {
    await using box = await openBox(variant)
    await using canary = await openOutside(box, variant.user)
    const { answers } = await box.run([probeIn(box, canary.outside)], { mode, policy: { network } })
    const { found, privileges } = read(answers[0]!)
    const none = "0000000000000000"
    expect(privileges).toEqual({
      ...{ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none },
      ...{ NoNewPrivs: "1", Seccomp: "2" },
    })
    const open = Object.keys(found).filter((name) => found[name] === "done")
    expect(open).toEqual([])
    expect(Object.keys(found).length).toBeGreaterThan(80)
    expect(readFileSync(canary.secret, "utf8")).toBe("a canary sings")
    expect(readdirSync(box.outside)).toEqual(["secret"])
    expect(statSync(canary.secret).mode & 0o7777).toBe(0o600)
    expect(canary.victim.exitCode).toBeNull()
    expect(canary.visitors.count).toBe(0)
  })
}

for (const variant of variants) {
  walled(`the input of a program of ${variant.name} is no room for memory that is not counted`, async () => {
    await using box = await openBox(variant)
    const grow = "truncate -s 50M /dev/stdin; head -c 1000000 /dev/zero >> /dev/stdin; stat -Lc %s /dev/stdin"
    const { answers } = await box.run([{ ...sh(grow), stdin: "given" }])
    expect(answers[0]).toMatchObject({ stdout: "5\n" })
  })
}

for (const variant of variants.filter(({ bare }) => !bare)) {
  walled(`a program of ${variant.name} does not see how its walls were put up`, async () => {
    await using box = await openBox(variant)
    const { answers } = await box.run([sh("tr -d '\\0' < /proc/1/cmdline; cat /proc/1/environ")])
    expect(answers[0]).toMatchObject({ stdout: "" })
  })
}
