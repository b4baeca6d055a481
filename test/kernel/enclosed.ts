import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export type Enclosed = { status: string[]; out: string; error: string }

/** What a small program needs to start. */
const system = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/zero"]
const limits = ["processes", "64", "files", "256", "file-bytes", "10000000", "memory-bytes", "200000000"]

/** A folder with a workspace in it, and programs that run shut into it by the words of native/sandbox.c. */
export function openBox(launcher: string[]) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-box-")))
  const at = (name: string) => join(folder, name)
  // Whoever it is that runs them.
  chmodSync(folder, 0o755)
  for (const name of ["work", "tmp"]) {
    mkdirSync(at(name))
    chmodSync(at(name), 0o777)
  }
  return {
    at,
    /** `change` alters the options; the status is what was written to descriptor 3. */
    async run(
      argv: string[],
      options: string[] = [],
      change: Parameters<typeof Bun.spawn>[1] = {},
    ): Promise<Enclosed> {
      const child = this.start(argv, options, change)
      await child.exited
      return child.read()
    },
    start(argv: string[], options: string[] = [], change: Parameters<typeof Bun.spawn>[1] = {}) {
      const names = Object.fromEntries(
        ["out", "error", "status"].map((name) => [name, at(`${name}-${crypto.randomUUID()}`)]),
      )
      const fds = Object.values(names).map((path) => openSync(path, "w+"))
      const words = [
        ...["--parent", `${process.pid}`, "--folder", at("work"), "--tmp", at("tmp"), "--write", at("work")],
        ...system.flatMap((path) => ["--read", path]),
        ...limits.map((word, index) => (index % 2 === 0 ? `--limit-${word}` : word)),
        ...options,
      ]
      const child = Bun.spawn([...launcher, ...words, "--", ...argv], {
        env: { PATH: "/usr/bin:/bin", GIVEN: "a b" },
        ...change,
        stdio: ["ignore", fds[0]!, fds[1]!, fds[2]!],
      })
      for (const fd of fds) closeSync(fd)
      const text = (name: string) => readFileSync(names[name]!, "utf8")
      return {
        pid: child.pid,
        exited: child.exited,
        kill: (signal: NodeJS.Signals) => child.kill(signal),
        read: () => ({
          status: text("status").split("\n").filter(Boolean),
          out: text("out"),
          error: text("error"),
        }),
      }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
