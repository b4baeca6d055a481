import { test } from "bun:test"
import { existsSync, mkdtempSync, rmdirSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { isAbsolute, join } from "node:path"

export type Needs = {
  /** Run by root, as mounting and changing owners take it. */
  root?: boolean
  /** Programs on PATH; strace must also be allowed to trace. */
  command?: string | string[]
  /** May mount a tmpfs of its own. */
  tmpfs?: boolean
  /** A Docker engine that answers. */
  docker?: boolean
  /** A compiler for WASI, with the library of its language. */
  wasi?: "c" | "rust"
  platform?: NodeJS.Platform
  /** A file that something before the tests makes, such as the executable; relative to the checkout. */
  file?: string
}

type Body = Parameters<typeof test>[1]

/**
 * `needs({ command: "strace" })("a sentence", …)` is a test where the machine can run it, and else one that is
 * skipped with the reason in its name, which the test script prints at the end.
 */
export function needs(wanted: Needs): (name: string, body: Body, timeout_ms?: number) => void {
  const missing = missingOf(wanted)
  if (missing.length === 0) return (name, body, timeout_ms) => test(name, body, timeout_ms)
  return (name, body) => test.skip(`${name} (needs ${missing.join(" and ")})`, body)
}

function missingOf({ root, command = [], tmpfs, docker, wasi, platform, file }: Needs): string[] {
  const missing: string[] = []
  if (platform && process.platform !== platform) missing.push(platform)
  if (root && process.getuid?.() !== 0) missing.push("root")
  for (const name of [command].flat()) {
    if (!Bun.which(name)) missing.push(name)
    else if (name === "strace" && !succeeds(["strace", "-o", "/dev/null", "true"]))
      missing.push("leave to trace")
  }
  if (tmpfs && !canMountTmpfs()) missing.push("leave to mount a tmpfs")
  if (docker && !(Bun.which("docker") && succeeds(["docker", "info"]))) missing.push("a Docker engine")
  if (wasi === "c" && !hasWasiLibc()) missing.push("clang with wasm-ld and wasi-libc")
  if (wasi === "rust" && !hasWasiRust()) missing.push("rustc with wasm32-wasip1")
  // An empty one stands for what could not be built.
  if (file && !statSync(join(import.meta.dir, "..", file), { throwIfNoEntry: false })?.size)
    missing.push(file)
  return missing
}

const succeeds = (command: string[]): boolean =>
  Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" }).exitCode === 0

/** Whether this machine has no compiler of that language for WASI; for what is more than one test. */
export const lacksWasi = (language: string): boolean =>
  (language === "c" && !hasWasiLibc()) || (language === "rust" && !hasWasiRust())

/** It prints the name alone where it has no such file. */
const hasWasiLibc = (): boolean =>
  Boolean(Bun.which("clang") && Bun.which("wasm-ld")) &&
  isAbsolute(printed(["clang", "--target=wasm32-wasi", "-print-file-name=libc.a"]))

const hasWasiRust = (): boolean =>
  Bun.which("rustc") !== null &&
  existsSync(printed(["rustc", "--print", "target-libdir", "--target", "wasm32-wasip1"]))

const printed = (command: string[]): string =>
  Bun.spawnSync(command, { stdout: "pipe", stderr: "ignore" }).stdout.toString().trim()

function canMountTmpfs(): boolean {
  if (process.getuid?.() !== 0 || !Bun.which("mount")) return false
  const folder = mkdtempSync(join(tmpdir(), "weft-mount-"))
  const mounted = succeeds(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder])
  if (mounted) succeeds(["umount", folder])
  rmdirSync(folder)
  return mounted
}
