/** Files of granted folders, as the standard library of a language has them. */
import { expect } from "bun:test"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compile } from "../../src/cli/plugin/compile.ts"
import { lacksWasi, needs } from "../needs.ts"
import { openHouse } from "./house.ts"

const test = needs({ wasi: "c" })

/** Writes `text` to `path` where there is one, and returns what is in it then. */
const source = `
  #include <stdio.h>
  #include "weft.h"
  WEFT_EXPORT(describe) uint64_t describe(void) {
    return weft_return(weft_text("{\\"name\\":\\"shelf\\",\\"description\\":\\"d\\",\\"input_schema\\":{\\"type\\":\\"object\\"}}"));
  }
  WEFT_EXPORT(handle_tool_call) uint64_t handle_tool_call(const char *at, size_t length) {
    weft_text_t input = weft_get((weft_text_t){at, length}, "input");
    weft_text_t path = weft_string(weft_get(input, "path"));
    weft_text_t text = weft_string(weft_get(input, "text"));
    if (text.at != NULL) {
      FILE *out = fopen(path.at, "w");
      if (out == NULL) return weft_fail("not written");
      fwrite(text.at, 1, text.length, out);
      if (fclose(out) != 0) return weft_fail("not closed");
    }
    static char found[1000];
    FILE *in = fopen(path.at, "r");
    if (in == NULL) return weft_fail("not there");
    return weft_done((weft_text_t){found, fread(found, 1, sizeof found, in)});
  }`

const module = lacksWasi("c") ? new Uint8Array() : await build()

async function build(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "weft-folders-"))
  cpSync("plugins/sdk/weft.h", join(folder, "weft.h"))
  await Bun.write(join(folder, "in.c"), source)
  const outfile = join(folder, "out.wasm")
  expect(await compile({ path: join(folder, "in.c"), engine: "reactor", outfile })).toEqual({ ok: true })
  const bytes = new Uint8Array(readFileSync(outfile))
  rmSync(folder, { recursive: true })
  return bytes
}

async function openShelf() {
  await using stack = new AsyncDisposableStack()
  const house = stack.use(await openHouse())
  const at = (name: string) => join(house.folder, name)
  for (const name of ["read", "write", "other"]) mkdirSync(at(name))
  await Bun.write(at("read/a.txt"), "what was there")
  await Bun.write(at("other/b.txt"), "somebody else's")
  symlinkSync(at("other"), at("read/out"))
  house.write("shelf", module)
  const config = house.config("shelf", { capabilities: ["fs:read:ro", "fs:write:rw"] })
  const started = stack.use(await house.start([config]))
  const kept = stack.move()
  return {
    at,
    ask: (path: string, text?: string) =>
      started.call("shelf", { path, ...(text !== undefined && { text }) }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

test("a granted folder is read by the name that the grant writes", async () => {
  await using shelf = await openShelf()
  expect(await shelf.ask("read/a.txt")).toBe("what was there")
  expect(await shelf.ask("read/none.txt")).toBe("not there")
})

test("what is written is on the disk after the call, and only where writing was granted", async () => {
  await using shelf = await openShelf()
  expect(await shelf.ask("write/new.txt", "hello")).toBe("hello")
  expect(readFileSync(shelf.at("write/new.txt"), "utf8")).toBe("hello")
  expect(await shelf.ask("read/a.txt", "changed")).toBe("not written")
  expect(readFileSync(shelf.at("read/a.txt"), "utf8")).toBe("what was there")
})

test("no name and no link leads out", async () => {
  await using shelf = await openShelf()
  for (const path of ["other/b.txt", "read/../other/b.txt", "read/out/b.txt", "write/../../etc/passwd"]) {
    expect(await shelf.ask(path)).toBe("not there")
  }
  expect(await shelf.ask(shelf.at("other/b.txt"))).toBe("not there")
  expect(await shelf.ask("/etc/passwd")).toBe("not there")
})
