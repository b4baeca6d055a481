import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const root = join(import.meta.dir, "../..")
/** What the scripts may count on: a POSIX shell and the usual small programs. */
const programs = ["sh", "dirname", "readlink", "mkdir", "mv", "rm", "uname", "cat", "cksum", "id"]

/** A checkout (its path has a space in it) with the real scripts, and a PATH of which every program is named by the test. */
export function makeCheckout() {
  const folder = mkdtempSync(join(tmpdir(), "weft checkout-"))
  chmodSync(folder, 0o755)
  const at = (path: string) => join(folder, path)
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), text, { mode })
  }
  cpSync(join(root, "scripts"), at("co/scripts"), { recursive: true })
  write("co/package.json", "{}")
  write("co/bun.lock", "{}")
  write("co/bunfig.toml", "")
  write("co/src/main.ts", "")
  mkdirSync(at("bin"))
  for (const name of programs) symlinkSync(Bun.which(name) ?? name, at(`bin/${name}`))
  return {
    at,
    write,
    /** Puts a shell script on PATH. */
    program: (name: string, body: string) => write(`bin/${name}`, `#!/bin/sh\n${body}\n`, 0o755),
    remove: (path: string) => rmSync(at(path), { recursive: true }),
    run(command: string[], { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {}) {
      const child = Bun.spawnSync(command, { cwd, env: { PATH: at("bin"), HOME: "", ...env } })
      return { status: child.exitCode, out: child.stdout.toString(), error: child.stderr.toString() }
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A shell script that passes for Bun: it has a version, installs, and else says how it was called. */
export const fakeBun = (version: string) => `case $1 in
  --version) echo ${version} ;;
  install) echo install >>"$0.log"; mkdir -p node_modules ;;
  *) printf '<%s>' "$@"; echo; pwd ;;
esac`
