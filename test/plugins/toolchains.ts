/** Modules from the compilers that plugins are written for; nothing of them is kept. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

export type Language = "assemblyscript" | "c" | "rust"

const asc = resolve("node_modules/assemblyscript/bin/asc.js")

const files: Record<Language, string> = { assemblyscript: "in.ts", c: "in.c", rust: "in.rs" }
const commands: Record<Language, string[]> = {
  assemblyscript: [process.execPath, asc, "in.ts", "-o", "out.wasm"],
  c: ["clang", "--target=wasm32-wasi", "in.c", "-o", "out.wasm"],
  rust: ["rustc", "--target", "wasm32-wasip1", "in.rs", "-o", "out.wasm"],
}

/** Throws with what the compiler said. */
export function compile(language: Language, source: string, flags: readonly string[] = []): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "weft-module-"))
  try {
    // Where an AssemblyScript configuration is named, it and its library are looked for from here.
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"))
    writeFileSync(join(folder, files[language]), source)
    const { exitCode, stdout, stderr } = Bun.spawnSync([...commands[language], ...flags], {
      cwd: folder,
      stdout: "pipe",
      stderr: "pipe",
    })
    if (exitCode !== 0) throw new Error(`${language}: ${stdout}${stderr}`)
    return new Uint8Array(readFileSync(join(folder, "out.wasm")))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
