import { mkdirSync, renameSync, rmSync, statSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import { buildNative } from "./native.ts"

/** What this project is built for, in the names of Bun's targets; the first word of the key is what users say. */
export const targets = {
  "linux-x64": "bun-linux-x64",
  "linux-x64-baseline": "bun-linux-x64-baseline",
  "linux-x64-musl": "bun-linux-x64-musl",
  "linux-arm64": "bun-linux-arm64",
  "darwin-arm64": "bun-darwin-arm64",
  "windows-x64": "bun-windows-x64",
} as const satisfies Record<string, Bun.Build.CompileTarget>

export type Target = keyof typeof targets

export const isTarget = (name: string): name is Target => Object.hasOwn(targets, name)

const root = join(import.meta.dir, "..")

/** Threads are entry points of their own; they find each other by their paths below the main one's folder. */
const threads: Record<string, string[]> = {
  "src/main.ts": [
    "src/tools/search/worker.ts",
    "src/tools/readable-worker.ts",
    "src/security/shell/worker.ts",
  ],
}

/**
 * Compiles one entry point into one executable and returns its size in bytes. The flags belong together: splitting
 * keeps `await import()` lazy, bytecode needs ESM for top-level await. A bytecodeDepth of 1 would make it 2 MB
 * smaller and its start 5 ms slower. A gateway is started in other people's folders: nothing in the working
 * directory may configure or run it.
 */
export async function buildExecutable(entry: string, outfile: string, target?: Target): Promise<number> {
  // The maps are in the executable; Bun also leaves them beside it, one a chunk.
  const folder = join(dirname(outfile), `.build-${process.pid}`)
  const built = join(folder, basename(outfile))
  mkdirSync(folder, { recursive: true })
  // Absolute, all of them, so that their common folder is the same from wherever this is called.
  const main = resolve(entry)
  await Bun.build({
    entrypoints: [main, ...(threads[relative(root, main)] ?? []).map((path) => join(root, path))],
    target: "bun",
    format: "esm",
    minify: true,
    splitting: true,
    bytecode: true,
    sourcemap: "linked",
    plugins: [embedNative(target), compressGrammars(folder)],
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile: built,
      ...(target && { target: targets[target] }),
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadPackageJson: false,
      autoloadTsconfig: false,
    },
  })
  renameSync(built, outfile)
  rmSync(folder, { recursive: true })
  return statSync(outfile).size
}

/**
 * Puts the native files for the target in: empty ones where none can be built here. From sources nothing is embedded,
 * as a checkout without them must run.
 */
function embedNative(target: Target | undefined): Bun.BunPlugin {
  return {
    name: "native",
    setup(build) {
      build.onLoad({ filter: /\/src\/kernel\/embedded\.ts$/ }, () => {
        const { kernel, sandbox } = buildNative(target)
        const contents = `
import kernel from ${JSON.stringify(kernel)} with { type: "file" }
import sandbox from ${JSON.stringify(sandbox)} with { type: "file" }
export const kernel_path = kernel
export const sandbox_path = sandbox
export const is_embedded = true`
        return { loader: "ts", contents }
      })
    },
  }
}

/** Grammars compress to an eighth; whoever loads one unpacks what is packed. */
function compressGrammars(folder: string): Bun.BunPlugin {
  return {
    name: "grammars",
    setup(build) {
      build.onResolve({ filter: /tree-sitter.*\.wasm$/ }, async ({ path, importer }) => {
        const packed = resolve(folder, `${basename(path)}.gz`)
        const bytes = await Bun.file(Bun.resolveSync(path, dirname(importer))).bytes()
        await Bun.write(packed, Bun.gzipSync(bytes, { level: 9 }))
        return { path: packed }
      })
    },
  }
}
