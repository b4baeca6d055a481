import { expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { generated } from "../../scripts/native.ts"
import { kernel_path } from "../../src/kernel/embedded.ts"
import { embedded_ways, openKernel } from "../../src/kernel/library.ts"
import { buildFilter } from "../../src/kernel/own/seccomp.ts"
import { abi } from "../../src/kernel/symbols.gen.ts"
import { needs } from "../needs.ts"

const root = join(import.meta.dir, "../..")

test("the tables that follow from the sources in C are those that are committed", () => {
  for (const [path, text] of Object.entries(generated())) expect(readFileSync(path, "utf8")).toBe(text)
})

function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), "weft-native-"))
  return {
    at: (name: string) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

/** Without the paths of this machine's own compiler cache. */
function compile(...words: string[]): { status: number; said: string } {
  const child = Bun.spawnSync(["cc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", ...words])
  return { status: child.exitCode, said: child.stderr.toString() }
}

needs({ command: "cc", platform: "linux" })(
  "the sources in C compile without a warning",
  () => {
    using folder = openFolder()
    const flags = ["-fPIC", "-shared", "-fvisibility=hidden", "-o", folder.at("kernel.so")]
    const sources = ["files", "vectors", "rows", "embed"].map((name) => `${root}/native/${name}.c`)
    expect(compile(...flags, ...sources)).toEqual({ status: 0, said: "" })
    expect(compile("-o", folder.at("sandbox"), `${root}/native/sandbox.c`)).toEqual({ status: 0, said: "" })
  },
  60_000,
)

// The two sandboxes have one table of system calls and two builders of the filter: they must make the same of it.
const filters = [
  ["with neither modes nor signals", { metadata: false, guarded: [42, -42, 7] }],
  ["with modes", { metadata: true, guarded: [42] }],
  ["with all signals", { metadata: false, guarded: [] }],
] as const
for (const [name, options] of filters) {
  needs({ command: "cc", platform: "linux" })(
    `the filter ${name} is the same from C and from TypeScript`,
    () => {
      using folder = openFolder()
      writeFileSync(
        folder.at("filter.c"),
        `#include "sandbox-common.h"
#include "sandbox-seccomp.h"
int main(void) {
  filter_options_t options = {.no_setuid = true, .metadata = ${options.metadata}, .guarded = {${options.guarded.join(", ") || "0"}}};
  static filter_t filter;
  build_filter(&filter, options);
  return fwrite(filter.code, sizeof filter.code[0], filter.length, stdout) != filter.length;
}`,
      )
      const made = Bun.spawnSync([
        "cc",
        "-std=c11",
        `-I${root}/native`,
        folder.at("filter.c"),
        "-o",
        folder.at("filter"),
      ])
      expect(made.stderr.toString()).toBe("")
      const from_c = Bun.spawnSync([folder.at("filter")]).stdout
      const machine = process.arch === "arm64" ? "arm64" : "x64"
      const from_ts = buildFilter({ metadata: options.metadata, guarded: [...options.guarded] }, machine)
      expect(from_ts.toString("hex").match(/.{16}/g)).toEqual(from_c.toString("hex").match(/.{16}/g))
    },
  )
}

needs({ platform: "linux", file: "native/build/kernel.so" })("the library is loaded each way", () => {
  using folder = openFolder()
  for (const way of embedded_ways) {
    const { kernel, how } = openKernel(kernel_path, [way], folder.at("state"))
    if (readFileSync(kernel_path).length === 0)
      expect(how).toBe("no native library was built for this system")
    else expect([how, kernel?.kernel_abi()]).toEqual([`loaded ${way.name}`, abi])
  }
})

test("what is no library is not loaded, and said", () => {
  using folder = openFolder()
  writeFileSync(folder.at("empty.so"), "")
  writeFileSync(folder.at("broken.so"), "not a library")
  expect(openKernel(folder.at("missing.so"), embedded_ways).how).toBe(
    "no native library was built for this system",
  )
  expect(openKernel(folder.at("empty.so"), embedded_ways).how).toBe(
    "no native library was built for this system",
  )
  const { kernel, how } = openKernel(folder.at("broken.so"), embedded_ways, folder.at("state"))
  expect(kernel).toBeUndefined()
  expect(how).toStartWith("the native library could not be loaded (from memory: ")
  expect(how).toContain("from the state folder: ")
})
