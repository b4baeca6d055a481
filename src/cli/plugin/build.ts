/** Compiles a plugin by what lies in its folder, and says what has come of it. */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { defineCommand } from "citty"
import { parse } from "smol-toml"
import type { Engine } from "../../plugins/module.ts"
import { json_arg } from "../args.ts"
import { UsageError } from "../find-command.ts"
import { note, printJson } from "../output.ts"
import { checkFile } from "./check.ts"
import { compile } from "./compile.ts"

export const build = () =>
  defineCommand({
    meta: { name: "build", description: "Compile the plugin in a folder, and check it" },
    args: {
      folder: { type: "positional", required: false, default: ".", description: "Where it is" },
      ...json_arg,
    },
    async run({ args: { folder, json } }) {
      const { name, path } = findSource(folder)
      const outfile = join(folder, `${name}.wasm`)
      const engine = engineOf(await Bun.file(join(folder, `${name}.toml`)).text())
      const compiled = await compile({ path, engine, outfile })
      if (compiled.ok) return checkFile(outfile, json === true)
      process.exitCode = 1
      if (json) return printJson(compiled)
      note("missing" in compiled ? compiled.missing : `${compiled.errors}\n${path} was not compiled.`)
    },
  })

/** Whatever else is wrong with a manifest is told by the check. */
function engineOf(manifest: string): Engine {
  const found = /^\s*engine\s*=\s*["']wasmer["']/m.test(manifest) && parse(manifest).engine
  return found === "wasmer" ? "wasmer" : "reactor"
}

/** The manifest names it; the source has its name, or is the only one. */
function findSource(folder: string): { name: string; path: string } {
  if (!existsSync(folder)) throw new UsageError(`There is no folder ${folder}.`)
  const files = readdirSync(folder)
  const manifests = files.filter(
    (file) => file.endsWith(".toml") && !["Cargo.toml", "rustfmt.toml"].includes(file),
  )
  if (manifests.length !== 1) {
    const found = manifests.join(", ") || "none; `weft plugin new NAME` writes one"
    throw new UsageError(`${folder} needs one manifest, NAME.toml; there is ${found}.`)
  }
  const name = manifests[0]!.slice(0, -".toml".length)
  if (files.includes("Cargo.toml")) return { name, path: join(folder, "Cargo.toml") }
  const sources = files.filter((file) => /\.(ts|c|rs)$/.test(file) && !/^weft\.|\.d\.ts$/.test(file))
  const named = sources.filter((file) => file.replace(/\.\w+$/, "") === name)
  const found = named.length > 0 ? named : sources
  if (found.length === 1) return { name, path: join(folder, found[0]!) }
  const expected = `${name}.ts, ${name}.c, ${name}.rs or Cargo.toml`
  throw new UsageError(`${folder} needs ${expected}; there is ${found.join(", ") || "none"}.`)
}
