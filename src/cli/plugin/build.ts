/** Compiles a plugin by what lies in its folder, and says what has come of it. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { defineCommand } from "citty"
import { parse } from "smol-toml"
import { AppError } from "../../base/errors.ts"
import type { Engine } from "../../plugins/module.ts"
import { json_arg } from "../args.ts"
import { note } from "../output.ts"
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
      const is_missing = "missing" in compiled
      note(is_missing ? compiled.missing : compiled.errors)
      throw new AppError("invalid_params", { [is_missing ? "missing" : "failed"]: path })
    },
  })

/** Whatever else is wrong with a manifest is told by the check. */
function engineOf(manifest: string): Engine {
  const found = /^\s*engine\s*=\s*["']wasmer["']/m.test(manifest) && parse(manifest).engine
  return found === "wasmer" ? "wasmer" : "reactor"
}

/** The manifest names it; the source has its name, or is the only one. */
function findSource(folder: string): { name: string; path: string } {
  const files = readdirSync(folder)
  const manifests = files.filter(
    (file) => file.endsWith(".toml") && !["Cargo.toml", "rustfmt.toml"].includes(file),
  )
  if (manifests.length !== 1) {
    const expected = "one manifest, NAME.toml"
    throw new AppError("invalid_params", { folder, expected, found: manifests.join(" ") || "none" })
  }
  const name = manifests[0]!.slice(0, -".toml".length)
  if (files.includes("Cargo.toml")) return { name, path: join(folder, "Cargo.toml") }
  const sources = files.filter((file) => /\.(ts|c|rs)$/.test(file) && !/^weft\.|\.d\.ts$/.test(file))
  const named = sources.filter((file) => file.replace(/\.\w+$/, "") === name)
  const found = named.length > 0 ? named : sources
  if (found.length === 1) return { name, path: join(folder, found[0]!) }
  const expected = `${name}.ts, ${name}.c, ${name}.rs or Cargo.toml`
  throw new AppError("invalid_params", { folder, expected, found: found.join(" ") || "none" })
}
