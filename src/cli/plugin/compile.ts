import { existsSync, mkdirSync, rmSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import type { Engine } from "../../plugins/module.ts"

export type Language = "assemblyscript" | "c" | "rust"

export const extensions: Record<Language, string> = { assemblyscript: ".ts", c: ".c", rust: ".rs" }

/** Of what `weft plugin new` and this checkout compile with. */
export const assemblyscript_version = "0.28.20"

export type Source = { path: string; engine: Engine; outfile: string }

/** `missing` is the toolchain that is not there, and what to install; `errors` is what the compiler said. */
export type Compiled = { ok: true } | { ok: false; missing: string } | { ok: false; errors: string }

/** Compiles one source file into one module. The folder of `outfile` is made. */
export async function compile({ path, engine, outfile }: Source): Promise<Compiled> {
  mkdirSync(dirname(outfile), { recursive: true })
  const language = languageOf(path)
  if (language === "assemblyscript") return compileAssemblyScript(path, engine, outfile)
  return language === "c" ? compileC(path, engine, outfile) : compileRust(path, engine, outfile)
}

export function languageOf(path: string): Language {
  const found = Object.entries(extensions).find(([, extension]) => path.endsWith(extension))
  return (found?.[0] ?? "c") as Language
}

/**
 * An instance is thrown away after its call, so nothing is ever freed: that runtime is the smallest. Programs for
 * wasmer may run longer and collect their garbage. Nothing is shrunk: with that, joining many strings would take memory
 * with the square of their length.
 */
async function compileAssemblyScript(path: string, engine: Engine, outfile: string): Promise<Compiled> {
  const folder = dirname(path)
  const asc = findAsc(folder)
  const flags = ["-o", resolve(outfile), "-O2"]
  if (engine === "reactor") return run([...asc, basename(path), ...flags, "--runtime", "stub"], folder)
  const shim = findUp(folder, "node_modules/@assemblyscript/wasi-shim/asconfig.json")
  if (!shim)
    return { ok: false, missing: "AssemblyScript programs need `bun add -d @assemblyscript/wasi-shim`" }
  const config = ["--config", relative(folder, shim), "--runtime", "incremental"]
  return run([...asc, basename(path), ...flags, ...config], folder)
}

/** The compiler of the project, and where it has none, the one that this executable fetches as Bun. */
function findAsc(folder: string): string[] {
  const own = findUp(folder, "node_modules/assemblyscript/bin/asc.js")
  if (own) return [process.execPath, own]
  return [process.execPath, "x", "--package", `assemblyscript@${assemblyscript_version}`, "asc"]
}

function findUp(folder: string, name: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, name))) return join(at, name)
    if (at === dirname(at)) return undefined
  }
}

async function compileC(path: string, engine: Engine, outfile: string): Promise<Compiled> {
  const missing = `C needs clang, lld and wasi-libc: ${install.c}`
  if (!Bun.which("clang")) return { ok: false, missing }
  const model = engine === "reactor" ? ["-mexec-model=reactor"] : []
  const flags = [
    "--target=wasm32-wasi",
    "-std=gnu11",
    "-Oz",
    "-Wall",
    "-Wextra",
    "-Wl,--strip-all",
    ...sysroot(),
  ]
  const compiled = await run(["clang", ...flags, ...model, path, "-o", outfile], ".")
  const without = /unable to find library|file not found|cannot open .*(crt1|libclang_rt)|wasm-ld/
  if (!compiled.ok && "errors" in compiled && without.test(compiled.errors) && !hasWasiLibc())
    return { ok: false, missing: `${missing}\n${compiled.errors}` }
  return compiled
}

/** Where $WASI_SDK_PATH or $WASI_SYSROOT says; Debian's clang knows by itself. */
function sysroot(): string[] {
  const { WASI_SDK_PATH, WASI_SYSROOT } = process.env
  const path = WASI_SYSROOT ?? (WASI_SDK_PATH && join(WASI_SDK_PATH, "share/wasi-sysroot"))
  return path ? [`--sysroot=${path}`] : []
}

const hasWasiLibc = (): boolean => sysroot().length > 0 || existsSync("/usr/include/wasm32-wasi")

async function compileRust(path: string, engine: Engine, outfile: string): Promise<Compiled> {
  if (!Bun.which("rustc")) return { ok: false, missing: `Rust needs rustc and its target: ${install.rust}` }
  const type = engine === "reactor" ? "cdylib" : "bin"
  const flags = ["--target", "wasm32-wasip1", "--edition", "2021", "--crate-type", type]
  const small = [
    "-C",
    "opt-level=s",
    "-C",
    "lto=fat",
    "-C",
    "panic=abort",
    "-C",
    "codegen-units=1",
    "-C",
    "strip=symbols",
  ]
  const compiled = await run(["rustc", ...flags, ...small, path, "-o", outfile], ".")
  if (
    !compiled.ok &&
    "errors" in compiled &&
    /can't find crate for `(std|core)`|may not be installed/.test(compiled.errors)
  )
    return { ok: false, missing: `Rust needs its target: ${install.rust}` }
  return compiled
}

const install = {
  c: "`apt install clang lld wasi-libc libclang-rt-dev-wasm32` on Debian and Ubuntu, else the WASI SDK and its folder in $WASI_SDK_PATH",
  rust: "`rustup target add wasm32-wasip1`",
}

async function run(command: string[], cwd: string): Promise<Compiled> {
  const out = command.at(command.indexOf("-o") + 1)!
  await using child = Bun.spawn(command, {
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // The executable is Bun with this program in it; it is asked to be Bun for once.
    env: { ...process.env, BUN_BE_BUN: "1" },
  })
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (exit === 0) return { ok: true }
  rmSync(resolve(cwd, out), { force: true })
  return { ok: false, errors: `${stderr}${stdout}`.trim() }
}
