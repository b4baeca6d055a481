import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path"
import type { Engine } from "../../plugins/module.ts"

export type Language = "assemblyscript" | "c" | "rust"

/** Of what is fetched where a project has no compiler of its own; the one of this checkout. */
export const assemblyscript_version = "0.28.20"

/** `path` is a file by its language's ending, or a Cargo.toml. */
export type Source = { path: string; engine: Engine; outfile: string }

/** `missing` is what to install, where that is the reason; `errors` is what the compiler said. */
export type Compiled = { ok: true } | { ok: false; missing: string } | { ok: false; errors: string }

/** Compiles one source into one module. The folder of `outfile` is made. */
export async function compile({ path, engine, outfile }: Source): Promise<Compiled> {
  mkdirSync(dirname(outfile), { recursive: true })
  if (path.endsWith("Cargo.toml")) return await compileCrate(path, outfile)
  if (path.endsWith(".ts")) return await compileAssemblyScript(path, engine, outfile)
  return await (path.endsWith(".c") ? compileC : compileRust)(path, engine, outfile)
}

/**
 * An instance is thrown away after its call, so nothing is ever freed: that runtime is the smallest. Programs for
 * wasmer may run longer and collect their garbage. Nothing is shrunk: with that, joining many strings would take memory
 * with the square of their length.
 */
async function compileAssemblyScript(path: string, engine: Engine, outfile: string): Promise<Compiled> {
  const folder = dirname(resolve(path))
  const command = [...findAsc(folder), basename(path), "-o", resolve(outfile), "-O2"]
  // The executable is Bun with this program in it; it is asked to be Bun for once.
  const options = { cwd: folder, env: { ...process.env, BUN_BE_BUN: "1" } }
  if (engine === "reactor") {
    const compiled = await run([...command, "--runtime", "stub"], outfile, options)
    // Where the compiler has nothing to say, it was not to be had.
    const is_missing = "errors" in compiled && !/^(ERROR|FAILURE)/m.test(compiled.errors)
    return is_missing ? { ok: false, missing: `${compiled.errors}\n${install.assemblyscript}` } : compiled
  }
  const shim = findUp(folder, "node_modules/@assemblyscript/wasi-shim/asconfig.json")
  if (!shim) return { ok: false, missing: install.shim }
  const config = ["--config", relative(folder, shim), "--runtime", "incremental"]
  return await run([...command, ...config], outfile, options)
}

/** The compiler of the project, and where it has none, the one that this executable fetches as Bun. */
function findAsc(folder: string): string[] {
  const own = findUp(folder, "node_modules/assemblyscript/bin/asc.js")
  if (own) return [process.execPath, own]
  return [process.execPath, "x", "--package", `assemblyscript@${assemblyscript_version}`, "asc"]
}

function findUp(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, name))) return join(at, name)
    if (at === dirname(at)) return undefined
  }
}

const c_flags = ["--target=wasm32-wasi", "-std=gnu11", "-Oz", "-Wall", "-Wextra", "-Wl,--strip-all"]

async function compileC(path: string, engine: Engine, outfile: string): Promise<Compiled> {
  const { WASI_SDK_PATH } = process.env
  const clang = WASI_SDK_PATH ? join(WASI_SDK_PATH, "bin/clang") : Bun.which("clang")
  if (!clang || !existsSync(clang) || !hasWasiLibc(clang)) return { ok: false, missing: install.c }
  const model = engine === "reactor" ? ["-mexec-model=reactor"] : []
  return await run([clang, ...c_flags, ...model, path, "-o", outfile], outfile)
}

/** It prints the name alone where it has no such file. */
const hasWasiLibc = (clang: string): boolean =>
  isAbsolute(printed([clang, "--target=wasm32-wasi", "-print-file-name=libc.a"]))

const rust_flags = ["opt-level=s", "lto=fat", "panic=abort", "codegen-units=1", "strip=symbols"]
const rust_target = ["--target", "wasm32-wasip1"]

async function compileRust(path: string, engine: Engine, outfile: string): Promise<Compiled> {
  if (!hasRust()) return { ok: false, missing: install.rust }
  const type = engine === "reactor" ? "cdylib" : "bin"
  const flags = ["--edition", "2021", "--crate-type", type, ...rust_flags.flatMap((flag) => ["-C", flag])]
  return await run(["rustc", ...rust_target, ...flags, path, "-o", outfile], outfile)
}

/** What a crate is built with is its own affair; the newest module is taken. */
async function compileCrate(path: string, outfile: string): Promise<Compiled> {
  if (!hasRust() || !Bun.which("cargo")) return { ok: false, missing: install.rust }
  const target = join(dirname(resolve(path)), "target")
  const flags = ["--release", ...rust_target, "--manifest-path", path, "--target-dir", target]
  const compiled = await run(["cargo", "build", ...flags], outfile)
  if (!compiled.ok) return compiled
  const folder = join(target, "wasm32-wasip1/release")
  const modules = readdirSync(folder)
    .filter((name) => name.endsWith(".wasm"))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (!modules[0])
    return { ok: false, errors: `${path} makes no module; it needs crate-type = ["cdylib"] under [lib]` }
  copyFileSync(modules[0], outfile)
  return compiled
}

/** The standard library of the target is there, and not only a proxy for compilers to be chosen. */
const hasRust = (): boolean =>
  Bun.which("rustc") !== null && existsSync(printed(["rustc", "--print", "target-libdir", ...rust_target]))

/** The environment is that of this process's start, as compilers look for themselves in it. */
const printed = (command: string[]): string =>
  Bun.spawnSync(command, { stdout: "pipe", stderr: "ignore" }).stdout.toString().trim()

const install = {
  assemblyscript: `AssemblyScript needs its compiler, which is fetched from npm where the project's folder has none:
  npm             npm install -D assemblyscript@${assemblyscript_version}`,
  c: `C needs clang, lld and wasi-libc:
  Debian, Ubuntu  apt install clang lld wasi-libc libclang-rt-dev-wasm32
  Fedora          dnf install clang lld wasi-libc-devel compiler-rt
  macOS           brew install llvm lld wasi-libc wasi-runtimes
  others          the WASI SDK (github.com/WebAssembly/wasi-sdk), its folder in $WASI_SDK_PATH`,
  rust: `Rust needs rustc 1.78 or newer with a further target:
  rustup          rustup target add wasm32-wasip1
  without rustup  see rustup.rs`,
  shim: `Programs in AssemblyScript need a library beside the compiler, in the project's folder:
  weft            BUN_BE_BUN=1 weft add -d assemblyscript@${assemblyscript_version} @assemblyscript/wasi-shim
  npm             npm install -D assemblyscript@${assemblyscript_version} @assemblyscript/wasi-shim`,
}

type RunOptions = { cwd?: string; env?: Record<string, string | undefined> }

async function run(command: string[], outfile: string, options: RunOptions = {}): Promise<Compiled> {
  await using child = Bun.spawn(command, { ...options, stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (exit === 0) return { ok: true }
  rmSync(outfile, { force: true })
  return { ok: false, errors: `${stderr}${stdout}`.trim() }
}
