import { expect, test } from "bun:test"
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { walls } from "../../src/kernel/walls.ts"
import { needs } from "../needs.ts"
import { openBox } from "./enclosed.ts"

const root = join(import.meta.dir, "../..")
const own = [
  process.execPath,
  "--no-env-file",
  `--config=${root}/bunfig.toml`,
  `${root}/src/main.ts`,
  "sandbox",
]
const is_root = process.getuid?.() === 0
/** The limits of root's processes do not hold, so that everything is tried as somebody else. */
const ordinary = is_root ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...own] : own
const enclosing = needs({
  platform: "linux",
  command: is_root ? ["setpriv", "bash", "perl"] : ["bash", "perl"],
})
const all = ["--require", walls.join(",")]
const sh = (script: string) => ["/bin/bash", "-c", script]
const started = [...walls.map((wall) => `holds ${wall}`), "started"]

/** Whether a process is there and not only waiting to be counted. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch (thrown) {
    // It ended, perhaps while it was looked at.
    const { code = "" } = thrown as NodeJS.ErrnoException
    if (!["ENOENT", "ESRCH"].includes(code)) throw thrown
    return false
  }
}

enclosing("all walls hold for an ordinary user, and the program ends as it wants", async () => {
  using box = openBox(ordinary)
  const { status, out } = await box.run(sh('echo "$@"; pwd; exit 7'), all)
  expect(status).toEqual([...started, "exit 7"])
  expect(out).toBe(`\n${box.at("work")}\n`)
  expect((await box.run(sh("kill -11 $$"), all)).status).toEqual([...started, "signal 11"])
})

enclosing(
  "a program gets the environment, the words and the descriptors that it was given, and no others",
  async () => {
    using box = openBox(ordinary)
    const script =
      'printf "<%s>" "$@"; echo; for n in 3 4 5 6 7 8 9; do { : >&$n; } 2>&- && echo open $n; done; exit 0'
    const env = { PATH: "/usr/bin", GIVEN: "a b", "odd-name": "x" }
    const { out } = await box.run([...sh(script), "name", "a b", "", "--", "ü"], all, { env })
    expect(out).toBe("<a b><><--><ü>\n")
    const listed = await box.run(["/usr/bin/env"], all, { env })
    expect(listed.out.split("\n").filter(Boolean).sort()).toEqual([
      "GIVEN=a b",
      "PATH=/usr/bin",
      "odd-name=x",
    ])
  },
)

enclosing("what is outside of the granted folders is neither read nor changed", async () => {
  using box = openBox(ordinary)
  const canary = box.at("canary")
  writeFileSync(canary, "a canary sings")
  chmodSync(canary, 0o666)
  const attempts = [
    `cat ${canary}`,
    `ln ${canary} here; cat here`,
    `ln -s ${canary} there; cat there; echo x > there`,
    `echo x > ${canary}`,
    `echo x >> ${canary}`,
    `: > ${canary}`,
    `rm ${canary}`,
    `mv ${canary} mine`,
    `chmod 600 ${canary}`,
    `touch ${canary}`,
    `cat /proc/${process.pid}/environ`,
    "cat /proc/1/cmdline",
    "cat /etc/passwd",
    "ls /",
  ]
  // One after the other in one start, as a start takes a while; what a part of one does is seen in what it prints.
  const script = attempts.map((attempt, index) => `echo ${index}; ${attempt}`).join("\n")
  const { out, status } = await box.run(sh(`${script}\nexit 0`), all)
  expect([out, status.at(-1)]).toEqual([attempts.map((_, index) => `${index}\n`).join(""), "exit 0"])
  expect(readFileSync(canary, "utf8")).toBe("a canary sings")
  expect(statSync(canary).mode & 0o777).toBe(0o666)
})

enclosing("no file that runs as its owner is made", async () => {
  using box = openBox(ordinary)
  const script = `
    use Fcntl;
    my $made = "made";
    sysopen(F, "opened", O_CREAT | O_WRONLY, 04755) and print "opened ";
    chmod(04755, "plain") and print "changed ";
    syscall($ARGV[0], -100, $made, 0104755, 0) == 0 and print "made ";
    sysopen(F, "usual", O_CREAT | O_WRONLY, 0755) and print "usual";`
  writeFileSync(box.at("work/plain"), "")
  const mknodat = process.arch === "arm64" ? 33 : 259
  const argv = ["/usr/bin/perl", "-e", script, `${mknodat}`]
  for (const options of [all, []]) {
    expect((await box.run(argv, options)).out).toBe("usual")
    rmSync(box.at("work/usual"))
  }
})

enclosing("what is granted is used", async () => {
  using box = openBox(ordinary)
  const script =
    "mkdir -p a/b && echo hello > a/b/c && mv a/b/c d && cat d && echo x > ../tmp/y && rm -r a && cat ../tmp/y"
  expect((await box.run(sh(script), all)).out).toBe("hello\nx\n")
})

enclosing("nothing is connected to", async () => {
  using box = openBox(ordinary)
  let connections = 0
  using listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => void connections++, data: () => undefined },
  })
  const { out, error } = await box.run(
    sh(
      `echo x > /dev/tcp/127.0.0.1/${listener.port} && echo tcp; echo x > /dev/udp/127.0.0.1/${listener.port} && echo udp`,
    ),
    all,
  )
  expect(out).toBe("")
  expect(error).toContain("Address family not supported")
  expect(connections).toBe(0)
})

enclosing("nothing that a program starts outlives it", async () => {
  using box = openBox(ordinary)
  const script = `
    setsid sleep 1000 & echo $!
    (sleep 1000 & echo $!)
    (setsid bash -c 'trap "" TERM HUP; sleep 1000 & echo $!; (sleep 1000 & echo $!)')
    exit 0`
  const { out, status } = await box.run(sh(script), all)
  expect(status.at(-1)).toBe("exit 0")
  const pids = out.split("\n").filter(Boolean).map(Number)
  expect(pids).toHaveLength(4)
  expect(pids.filter(isAlive)).toEqual([])
})

enclosing("it ends with everything inside when it is told to", async () => {
  using box = openBox(ordinary)
  const script = "sleep 1000 & echo $! $$; echo > started; wait"
  const told = box.start(sh(script), all)
  await until(() => existsSync(box.at("work/started")))
  process.kill(told.pid, "SIGTERM")
  await told.exited
  const { status, out } = told.read()
  expect(status.at(-1)).toBe("signal 9")
  expect(out.trim().split(" ").map(Number).filter(isAlive)).toEqual([])
})

enclosing("nothing stays when whoever started it is killed", async () => {
  const starter = Bun.spawn([process.execPath, join(import.meta.dir, "starter.ts"), ...ordinary], {
    stdout: "pipe",
  })
  const { value } = await starter.stdout.getReader().read()
  const folder = new TextDecoder().decode(value).trim()
  await until(() => existsSync(join(folder, "work/started")))
  const pids = readFileSync(join(folder, "work/started"), "utf8").trim().split(" ").map(Number)
  expect(pids.filter(isAlive)).toEqual(pids)
  starter.kill("SIGKILL")
  await until(() => !pids.some(isAlive))
  rmSync(folder, { recursive: true })
})

enclosing("it cannot signal who guards it", async () => {
  using box = openBox(ordinary)
  const { error, status } = await box.run(sh("kill -9 $PPID; kill -9 -- -$PPID; kill -9 -1; exit 3"), all)
  expect(error.match(/Operation not permitted/g)).toHaveLength(3)
  expect(status.at(-1)).toBe("exit 3")
})

enclosing("memory and processes beyond the limit are the end of it", async () => {
  using box = openBox(ordinary)
  // Without a line's end, it is kept whole.
  const memory = await box.run(sh("head -c 400000000 /dev/zero | tail; sleep 20"), all)
  expect(memory.status.at(-1)).toBe("exceeded memory")
  // Bounded by itself, and by a shell that does not try again.
  const many = "i=0; while [ $i -lt 300 ]; do sleep 20 & i=$((i+1)); done; echo $i"
  const processes = await box.run(["/bin/sh", "-c", many], all)
  expect(processes.out).toBe("")
  expect(processes.status.at(-1)).toBe("exit 2")
})

enclosing("processes that have ended do not count", async () => {
  using box = openBox(ordinary)
  // Each is left to whoever reaps; what it writes to is waited for, and so is its end.
  const script = "for i in {1..300}; do x=$( (/bin/true &) ); done; echo enough"
  const { status, out } = await box.run(sh(script), all)
  expect([out, status.at(-1)]).toEqual(["enough\n", "exit 0"])
})

enclosing("a wall that is required and does not stand keeps the program from starting", async () => {
  using box = openBox(ordinary)
  const { status } = await box.run(sh("echo > ran"), [...all, "--proxy", "/run/none.sock"])
  expect(status.filter((line) => !line.startsWith("holds"))).toEqual([
    "missing network hosts are granted, and there is no namespace of the network",
    "refused",
  ])
  expect(existsSync(box.at("work/ran"))).toBe(false)
})

needs({ platform: "linux", root: true })("the limits of root are not said to hold", async () => {
  using box = openBox(own)
  const { status } = await box.run(["/bin/true"], all)
  expect(status).toContain("missing limits processes: the kernel does not count those of root")
  expect(status.at(-1)).toBe("refused")
})

const mistakes: [string, string[], string[], string][] = [
  ["an unknown option", ["--colour", "red"], ["/bin/true"], "failed usage EINVAL"],
  ["a number that is none", ["--limit-files", "many"], ["/bin/true"], "failed usage EINVAL"],
  ["a relative path", ["--read", "usr"], ["/bin/true"], "failed usage EINVAL"],
  ["a relative program", [], ["true"], "failed usage EINVAL"],
  ["a wall that is none", ["--require", "moat"], ["/bin/true"], "failed usage EINVAL"],
  ["another parent", ["--parent", "1"], ["/bin/true"], "failed parent ESRCH"],
  ["a folder to write in that is missing", ["--write", "/nowhere"], ["/bin/true"], "failed write ENOENT"],
  ["a missing program", [], ["/bin/nothing-here"], "failed execute ENOENT"],
]
for (const [name, options, argv, last] of mistakes) {
  enclosing(`${name} is said in the last line`, async () => {
    using box = openBox(ordinary)
    expect((await box.run(argv, options)).status.at(-1)).toBe(last)
  })
}

test("without a status to write to, nothing is run", () => {
  const ran = Bun.spawnSync([...own, "--", "/bin/echo", "ran"], { stdio: ["ignore", "pipe", "pipe"] })
  expect([ran.stdout.toString(), ran.exitCode === 0]).toEqual(["", false])
})

/** Looks again at every turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
