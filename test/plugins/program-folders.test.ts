/** The folders that programs are granted: what they read there, what comes back, and what does not. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { folder_limits } from "../../src/plugins/packing.ts"
import { readFolders, writeFolders } from "../../src/plugins/service/folders.ts"
import { temporaryFolder } from "../harness.ts"
import { needs } from "../needs.ts"
import { callOf } from "./house.ts"
import { folder, makes, openPrograms, reads, renames, unlinks, writes } from "./programs.ts"
import { compile } from "./toolchains.ts"

setDefaultTimeout(60_000)
/** WASI's number. */
const not_permitted = 63

test("a folder for reading is read, and each way of writing fails", async () => {
  await using programs = openPrograms()
  const folders = [
    folder("/srv/ro", false, { "a.txt": "read only", "deep/b.txt": "deep" }),
    folder("/srv/rw", true, {}),
  ]
  const run = (module: Uint8Array, ...args: string[]) =>
    programs.run(module, { args: ["x", ...args], folders, input: "data" })
  expect(await run(reads, "/srv/ro/a.txt")).toMatchObject({ output: "read only", exit_code: 0 })
  expect(await run(reads, "srv/ro/deep/b.txt")).toMatchObject({ output: "deep" })
  for (const [module, ...args] of [
    [writes, "/srv/ro/a.txt"],
    [writes, "/srv/ro/new"],
    [makes, "/srv/ro/new"],
    [unlinks, "/srv/ro/a.txt"],
    [renames, "/srv/ro/a.txt", "/srv/ro/b.txt"],
    [renames, "/srv/rw/../ro/a.txt", "/srv/ro/b.txt"],
  ] as const) {
    expect(await run(module, ...args)).toMatchObject({
      exit_code: not_permitted,
      folders: [{ path: "/srv/rw", files: {} }],
    })
  }
})

test("what a program writes into a folder for writing comes back, and is there as it was for the next", async () => {
  await using programs = openPrograms()
  const folders = [folder("/srv/rw", true, { "a.txt": "old", "b.txt": "kept" }), folder("data", true, {})]
  const run = async (module: Uint8Array, ...args: string[]) => {
    const ran = await programs.run(module, { args: ["x", ...args], folders, input: "new" })
    if ("failed" in ran) throw new Error(ran.message)
    return ran.folders.map(({ files }) =>
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, `${Buffer.from(bytes)}`])),
    )
  }
  expect(await run(writes, "/srv/rw/a.txt")).toEqual([{ "a.txt": "new" }, {}])
  expect(await run(reads, "/srv/rw/a.txt")).toEqual([{}, {}])
  expect(await run(writes, "data/x")).toEqual([{}, { x: "new" }])
  expect(await run(renames, "/srv/rw/b.txt", "/srv/rw/c.txt")).toEqual([{ "c.txt": "kept" }, {}])
})

/** How long nobody else had a turn while something was done, in milliseconds. */
async function longestBeat(work: () => Promise<unknown>): Promise<number> {
  let [last, longest, working] = [performance.now(), 0, true]
  const beat = () => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
    if (working) setImmediate(beat)
  }
  setImmediate(beat)
  await work()
  beat()
  working = false
  return longest
}

test("a folder that is full goes over and comes back without holding others up", async () => {
  await using place = await temporaryFolder()
  const bytes = folder_limits.bytes / 1024
  mkdirSync(join(place.path, "round-0"))
  for (let index = 0; index < folder_limits.files; index++) {
    writeFileSync(join(place.path, "round-0", `${index}`), Buffer.alloc(bytes, index))
  }
  const { openFolder } = callOf()
  const given = [{ path: "/srv/rw", absolute: place.path, writable: true }]
  await using programs = openPrograms()
  let round = 0
  const moveAll = async () => {
    const folders = await readFolders(given, openFolder)
    const args = ["x", `/srv/rw/round-${round}`, `/srv/rw/round-${++round}`]
    const ran = await programs.run(renames, { args, folders })
    if ("failed" in ran) throw new Error(ran.message)
    await writeFolders(given, folders, ran.folders, openFolder)
    // What a program removes stays.
    rmSync(join(place.path, `round-${round - 1}`), { recursive: true })
  }
  await moveAll()
  const longest: number[] = []
  // On a busy machine a beat may be late for reasons that are not ours.
  while (longest.length < 6 && (longest.length === 0 || Math.min(...longest) >= 20)) {
    longest.push(await longestBeat(moveAll))
  }
  for (const index of [0, 1, 500, 999]) {
    const moved = readFileSync(join(place.path, `round-${round}`, `${index}`))
    expect(moved.equals(Buffer.alloc(bytes, index))).toBe(true)
  }
  expect(Math.min(...longest)).toBeLessThan(150)
})

test("what a program makes beyond what may come back is said, and nothing of it is kept", async () => {
  await using programs = openPrograms()
  const files = Array.from({ length: 999 }, (_, index) => [`a/${index}${"n".repeat(100)}`, ""])
  const folders = [folder("/srv/rw", true, Object.fromEntries(files))]
  const rename = (to: string) => programs.run(renames, { args: ["x", "/srv/rw/a", `/srv/rw/${to}`], folders })
  expect(await rename("b")).toMatchObject({ exit_code: 0 })
  expect(await rename("b".repeat(100))).toMatchObject({
    failed: "output",
    message: expect.stringContaining("what it wrote to its folders is more than"),
  })
})

test("folders lie within each other as they are granted, and one that cannot be where it is granted is refused", async () => {
  await using programs = openPrograms()
  const read = async (path: string, ...paths: string[]) => {
    const folders = paths.map((path) => folder(path, false, { a: `in ${path}` }))
    const ran = await programs.run(reads, { args: ["x", path], folders })
    return "failed" in ran ? ran.failed : ran.output
  }
  expect(await read("/a/a", "/a", "/a/b")).toBe("in /a")
  expect(await read("/a/b/a", "/a", "/a/b")).toBe("in /a/b")
  expect(await read("up/a", "../up")).toBe("in ../up")
  expect(await read("/a", "/")).toBe("abi")
  expect(await read("/workspace/a", "/workspace")).toBe("abi")
  expect(await read("/a/a", "/a", "/a")).toBe("abi")
})

const c_source = `
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
  DIR *folder = opendir(argv[1]);
  for (struct dirent *entry; folder && (entry = readdir(folder));) if (entry->d_name[0] != '.') printf("%s ", entry->d_name);
  char path[99];
  snprintf(path, sizeof path, "%s/note", argv[1]);
  FILE *file = fopen(path, "a+");
  if (!file) { perror("note"); return 1; }
  fprintf(file, "and more");
  rewind(file);
  char text[99] = {0};
  fread(text, 1, 98, file);
  printf("%s", text);
  if (fclose(file)) return 2;
  if (argc > 2) abort();
  return 0;
}`

needs({ command: ["clang", "wasm-ld"] })(
  "a program of C lists, reads and appends in its folder",
  async () => {
    const module = compile("c", c_source)
    await using programs = openPrograms()
    const folders = [folder("notes", true, { note: "some ", other: "" })]
    expect(await programs.run(module, { args: ["notes"], folders })).toEqual({
      ...{ output: "note other some and more", exit_code: 0, stderr: "" },
      folders: [folder("notes", true, { note: "some and more" })],
    })
    expect(await programs.run(module, { args: ["notes", "abort"], folders })).toMatchObject({
      failed: "trap",
    })
    expect(await programs.run(module, { args: ["elsewhere"], folders })).toMatchObject({
      exit_code: 1,
      stderr: expect.stringContaining("note: "),
    })
  },
)
