import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import { assert } from "../src/base/errors.ts"
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
    "src/plugins/runner/program-worker.ts",
    "src/memory/vectors/graph-worker.ts",
  ],
}

/**
 * Compiles one entry point into one executable and returns its size in bytes. A gateway is started in other people's
 * folders: nothing in the working directory may configure or run it.
 */
export async function buildExecutable(entry: string, outfile: string, target?: Target): Promise<number> {
  using folder = makeFolder(outfile)
  const built = folder.at(basename(outfile))
  await Bun.build(settingsOf(entry, built, target))
  renameSync(built, outfile)
  return statSync(outfile).size
}

/** Source maps by the paths that stack traces of the executable have; without the sources themselves. */
export type Maps = Record<string, { sources: string[]; mappings: string }>

/**
 * Writes the maps of what `buildExecutable` makes of the same sources, as one JSON file. Within the executable they
 * would be 2.9 MB of it. Whether there are maps, and how deep bytecode goes, changes no name and no place.
 */
export async function buildMaps(
  entry: string,
  outfile: string,
  maps: string,
  target?: Target,
): Promise<void> {
  using folder = makeFolder(maps)
  const settings = settingsOf(entry, folder.at(basename(outfile)), target)
  const { outputs } = await Bun.build({ ...settings, sourcemap: "linked", bytecodeDepth: 0 })
  const found: Maps = {}
  for (const output of outputs.filter(({ kind }) => kind === "sourcemap")) {
    const { sources, mappings } = await output.json()
    const paths = (sources as string[]).map((source) => relative(root, resolve(source)))
    const thread = threads["src/main.ts"]?.find((path) => paths.includes(path))
    const name = thread ? relative("src", thread).replace(/ts$/, "js") : basename(output.path, ".map")
    found[name] = { sources: paths, mappings }
  }
  await Bun.write(folder.at("maps.json"), JSON.stringify(found))
  renameSync(folder.at("maps.json"), maps)
}

/** Beside what is built, so that a rename puts it in place. */
function makeFolder(outfile: string) {
  const folder = join(dirname(outfile), `.build-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  return {
    at: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

/**
 * The flags belong together: splitting keeps `await import()` lazy, bytecode needs ESM for top-level await. A
 * bytecodeDepth of 1 would make it 3 MB smaller and the first reply 10 ms slower.
 */
function settingsOf(entry: string, outfile: string, target: Target | undefined) {
  // Absolute, all of them, so that their common folder is the same from wherever this is called.
  const main = resolve(entry)
  return {
    entrypoints: [main, ...(threads[relative(root, main)] ?? []).map((path) => join(root, path))],
    target: "bun",
    format: "esm",
    minify: true,
    splitting: true,
    bytecode: true,
    sourcemap: "none",
    plugins: [embedNative(target), packWasm(dirname(outfile)), omitUnused(), embedSdk(), embedPluginSdk()],
    define: { "process.env.NODE_ENV": '"production"' },
    compile: {
      outfile,
      ...(target && { target: targets[target] }),
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadPackageJson: false,
      autoloadTsconfig: false,
    },
  } as const satisfies Bun.BuildConfig
}

/** Puts in what `weft plugin new` writes. From sources it is read where it lies. */
function embedPluginSdk(): Bun.BunPlugin {
  const folder = join(root, "plugins/sdk")
  return {
    name: "plugin-sdk",
    setup(build) {
      build.onLoad({ filter: /\/src\/cli\/plugin\/embedded\.ts$/ }, () => {
        const names = readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        const files = Object.fromEntries(
          names.map((name) => [name, readFileSync(join(folder, name), "utf8")]),
        )
        const contents = `const files = ${JSON.stringify(files)}\nexport const readSdk = (name) => files[name]`
        return { loader: "js", contents }
      })
    },
  }
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

/** WebAssembly compresses to a quarter or less; whoever loads it unpacks what is packed (src/base/packed.ts). */
function packWasm(folder: string): Bun.BunPlugin {
  return {
    name: "packed",
    setup(build) {
      build.onResolve({ filter: /\.wasm$/ }, async ({ path, importer }) => {
        const packed = resolve(folder, `${basename(path)}.zst`)
        const bytes = await Bun.file(Bun.resolveSync(path, dirname(importer))).bytes()
        await Bun.write(packed, Bun.zstdCompressSync(bytes, { level: 22 }))
        return { path: packed }
      })
    },
  }
}

/**
 * What libraries load for cases that do not arise here, 1.5 MB with its bytecode: turndown's parser of HTML (it is given
 * elements) and Elysia's reader of files' types (no route takes a file that way; it refuses all without).
 */
const omitted = /^(@mixmark-io\/domino|file-type)$/

function omitUnused(): Bun.BunPlugin {
  return {
    name: "omitted",
    setup(build) {
      build.onResolve({ filter: omitted }, ({ path }) => ({ path, namespace: "omitted" }))
      build.onLoad({ filter: omitted, namespace: "omitted" }, () => ({ loader: "js", contents: "export {}" }))
    },
  }
}

/**
 * A thread of Wasmer's SDK imports the rest of it by a URL; here it has it in itself. What of it evaluates JavaScript that
 * a guest hands over is left out with its parser, 0.4 MB: no module that could call it is ever loaded.
 */
function embedSdk(): Bun.BunPlugin {
  return {
    name: "sdk",
    setup(build) {
      build.onLoad({ filter: /@wasmer\/sdk\/dist\/browser-worker\.js$/ }, async ({ path }) => {
        const source = await Bun.file(path).text()
        const contents = source.replace(/import\([^)]*data\.sdkUrl\)/, 'import("../pkg/wasmer_sdk_js.js")')
        assert(contents !== source, "a thread of the SDK imports the rest of it by a URL")
        return { loader: "js", contents }
      })
      build.onLoad({ filter: /@wasmer\/sdk\/pkg\/snippets\/.*\/acorn\.mjs$/ }, () => ({
        loader: "js",
        contents: 'export const parse = () => { throw new Error("there is no parser") }',
      }))
    },
  }
}
