/**
 * Builds plugins/<name> into dist/plugins/<name>.wasm with its manifest beside it, where sources are newer. Those in
 * AssemblyScript need nothing but node_modules; those in C and Rust are left out where their compiler is missing.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs"
import { join } from "node:path"
import { parse } from "smol-toml"
import { compile } from "../src/cli/plugin/compile.ts"

const root = join(import.meta.dir, "..")
const sources = join(root, "plugins")

/** Where what is built lies. */
export const plugins_folder = join(root, "dist/plugins")

export type BuiltPlugins = { built: string[]; skipped: { name: string; reason: string }[] }

/** All that are shipped, by name. */
export const pluginNames = (): string[] =>
  readdirSync(sources)
    .filter((name) => existsSync(join(sources, name, `${name}.toml`)))
    .sort()

/** Throws what the compiler says of a source that it does not take. */
export async function buildPlugins(names: readonly string[] = pluginNames()): Promise<BuiltPlugins> {
  mkdirSync(plugins_folder, { recursive: true })
  const wanted = names.filter((name) => !isFresh(name))
  const done: BuiltPlugins = { built: [], skipped: [] }
  // Each compiler keeps one processor busy.
  const next = wanted.values()
  const work = async () => {
    for (const name of next) await build(name, done)
  }
  await Promise.all([work(), work()])
  return done
}

async function build(name: string, done: BuiltPlugins): Promise<void> {
  const folder = join(sources, name)
  const file = readdirSync(folder).find((entry) => [`${name}.ts`, `${name}.c`, `${name}.rs`].includes(entry))
  if (!file) throw new Error(`plugins/${name} has no ${name}.ts, .c or .rs`)
  const manifest = join(folder, `${name}.toml`)
  const engine = parse(await Bun.file(manifest).text()).engine === "wasmer" ? "wasmer" : "reactor"
  const out = join(plugins_folder, `${name}.wasm`)
  // Another process may build the same: it is made under another name and put in place whole.
  const made = join(plugins_folder, `.${name}.${process.pid}.wasm`)
  const compiled = await compile({ path: join(folder, file), engine, outfile: made })
  if (compiled.ok) {
    copyFileSync(manifest, join(plugins_folder, `${name}.toml`))
    // Whatever the linker and this umask made of it: nothing runs it but a runner.
    chmodSync(made, 0o644)
    renameSync(made, out)
    done.built.push(name)
    return
  }
  if (!("missing" in compiled)) throw new Error(`plugins/${name}/${file}:\n${compiled.errors}`)
  // What was built from other sources is no stand-in.
  rmSync(out, { force: true })
  done.skipped.push({ name, reason: compiled.missing })
}

function isFresh(name: string): boolean {
  const out = join(plugins_folder, `${name}.wasm`)
  if (!existsSync(out) || !existsSync(join(plugins_folder, `${name}.toml`))) return false
  const folders = [join(sources, name), join(sources, "sdk")]
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name)),
  )
  // How they are compiled is in these two.
  const all = [...files, import.meta.path, join(root, "src/cli/plugin/compile.ts")]
  return statSync(out).mtimeMs >= Math.max(...all.map((path) => statSync(path).mtimeMs))
}

if (import.meta.main) {
  const { built, skipped } = await buildPlugins()
  for (const name of built) console.error(`plugins: built ${name}.wasm`)
  for (const { name, reason } of skipped) console.error(`plugins: left out ${name}: ${reason}`)
}
