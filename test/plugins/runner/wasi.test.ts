import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { host_errors } from "../../../src/plugins/frames.ts"
import { errno } from "../../../src/plugins/runner/preview1.ts"
import {
  folderOf,
  memory_bytes,
  play,
  puppet,
  type Step,
  type Word,
  wasi_calls,
  wasi_names,
} from "./puppet.ts"
import { type HostFunction, startRunner } from "./runner.ts"

const {
  success,
  badf,
  exist,
  fault,
  fbig,
  ilseq,
  inval,
  io,
  isdir,
  mfile,
  nametoolong,
  noent,
  nosys,
  notcapable,
} = errno
const { nomem, notdir, spipe } = errno
const [creates, only_folders, only_new, truncates] = [1, 2, 4, 8]
const [reads, writes] = [2n, 64n]
const readable = { "/data": "ro" } as const
const writable = { "/data": "rw" } as const
const outside = memory_bytes - 4
const everything = (1n << 30n) - 1n

/** Opens a path below the first granted folder; the first one open is 4. */
const open = (path: string, { how = 0, rights = reads, flags = 0, out = { room: 4 } as Word } = {}): Step => [
  "path_open",
  3,
  0,
  path,
  Buffer.byteLength(path),
  how,
  rights,
  0n,
  flags,
  out,
]

test.each<[string, Step, number]>([
  [
    "a file by its absolute path",
    ["path_open", 3, 0, "/etc/passwd", 11, 0, reads, 0n, 0, { room: 4 }],
    notcapable,
  ],
  ["a file above the folder", open("../etc/passwd"), notcapable],
  ["a file above it, by way of one below", open("sub/../../etc/passwd"), notcapable],
  ["the folder above it", open(".."), notcapable],
  ["a file with a zero in its name", open("in.txt\0.png"), inval],
  ["a name that is no text", ["path_open", 3, 0, "\udcff", 1, 0, reads, 0n, 0, { room: 4 }], ilseq],
  ["a name that is longer than any", open("x".repeat(4097)), nametoolong],
  ["a name without letters", open(""), noent],
  ["writing to what may be read", open("in.txt", { rights: writes }), notcapable],
  ["emptying what may be read", open("in.txt", { how: truncates }), notcapable],
  ["making a file where one may read", open("new.txt", { how: creates, rights: writes }), notcapable],
  ["a folder that was not granted", ["path_open", 4, 0, "x", 1, 0, reads, 0n, 0, { room: 4 }], badf],
  ["a path below standard input", ["path_open", 0, 0, "x", 1, 0, reads, 0n, 0, { room: 4 }], notdir],
  ["taking a file away", ["path_unlink_file", 3, "in.txt", 6], nosys],
  ["making a folder", ["path_create_directory", 3, "new", 3], nosys],
  ["taking a folder away", ["path_remove_directory", 3, "sub", 3], nosys],
  ["another name for a file", ["path_rename", 3, "in.txt", 6, 3, "out.txt", 7], nosys],
  ["a link to a file", ["path_link", 3, 0, "in.txt", 6, 3, "out.txt", 7], nosys],
  ["a link to anywhere", ["path_symlink", "/etc/passwd", 11, 3, "x", 1], nosys],
  ["where a link leads", ["path_readlink", 3, "x", 1, { room: 64 }, 64, { room: 4 }], nosys],
  ["a connection", ["sock_accept", 3, 0, { room: 4 }], nosys],
  ["sending to anybody", ["sock_send", 3, { from: "x" }, 1, 0, { room: 4 }], nosys],
  ["receiving from anybody", ["sock_recv", 3, { into: 8 }, 1, 0, { room: 4 }, { room: 4 }], nosys],
  ["a signal", ["proc_raise", 9], nosys],
  ["standard input's file", ["fd_filestat_set_size", 0, 5n], spipe],
  ["a descriptor of the runner's own", ["fd_read", 5, { into: 8 }, 1, { room: 4 }], badf],
])("a guest does not get at %s", async (_, step, expected) => {
  await using runner = await startRunner(puppet)
  const { files, asked, host } = folderOf({ "in.txt": "inside" })
  const { errnos } = await play(runner, [step], { folders: readable, host })
  expect(errnos).toEqual([expected])
  expect(asked.filter((line) => !line.startsWith("fs_stat"))).toEqual([])
  expect(files).toEqual({ "in.txt": "inside" })
})

test("without a grant there is no folder, no variable, no argument and nothing to read", async () => {
  await using runner = await startRunner(puppet)
  const { errnos, rooms } = await play(runner, [
    ["fd_prestat_get", 3, { room: 8 }],
    ["environ_sizes_get", { room: 4 }, { room: 4 }],
    ["args_sizes_get", { room: 4 }, { room: 4 }],
    ["fd_read", 0, { into: 16 }, 1, { room: 4 }],
    open("in.txt"),
  ])
  expect(errnos).toEqual([badf, success, success, success, badf])
  for (const room of rooms) expect(room.every((byte) => byte === 0)).toBe(true)
})

test("what is granted of the environment is there, and of nothing else", async () => {
  await using runner = await startRunner(puppet)
  const { errnos, rooms } = await play(
    runner,
    [
      ["environ_sizes_get", { room: 4 }, { room: 4 }],
      ["environ_get", { room: 8 }, { room: 32 }],
    ],
    { env: { KEY: "välue", B: "" } },
  )
  expect(errnos).toEqual([success, success])
  expect([rooms[0]!.readUInt32LE(), rooms[1]!.readUInt32LE()]).toEqual([2, 14])
  expect(rooms[3]!.subarray(0, 14).toString()).toBe("KEY=välue\0B=\0")
  expect(rooms[2]!.readUInt32LE(4) - rooms[2]!.readUInt32LE(0)).toBe(11)
})

test("a file is read as a whole, from the middle and to its end", async () => {
  await using runner = await startRunner(puppet)
  const { host, asked } = folderOf({ "sub/in.txt": "0123456789" })
  const { errnos, rooms } = await play(
    runner,
    [
      open("sub/./x/../in.txt"),
      ["fd_read", 4, { into: 4 }, 1, { room: 4 }],
      ["fd_seek", 4, -2n, 2, { room: 8 }],
      ["fd_read", 4, { into: 4 }, 1, { room: 4 }],
      ["fd_pread", 4, { into: 3 }, 1, 1n, { room: 4 }],
      ["fd_tell", 4, { room: 8 }],
      ["fd_read", 4, { into: 4 }, 1, { room: 4 }],
      ["fd_filestat_get", 4, { room: 64 }],
      ["fd_write", 4, { from: "no" }, 1, { room: 4 }],
      ["fd_close", 4],
      ["fd_read", 4, { into: 4 }, 1, { room: 4 }],
    ],
    { folders: readable, host },
  )
  expect(errnos).toEqual([...Array(8).fill(success), badf, success, badf])
  expect(rooms[1]!.toString()).toBe("0123")
  expect(rooms[4]!.toString()).toBe("89\0\0")
  expect(rooms[6]!.toString()).toBe("123")
  expect(rooms[8]!.readBigUInt64LE()).toBe(10n)
  expect(rooms[10]!.readUInt32LE()).toBe(0)
  expect(rooms[11]![16]).toBe(4)
  expect(rooms[11]!.readBigUInt64LE(32)).toBe(10n)
  expect(asked).toEqual(["fs_stat /data sub/in.txt", "fs_read /data sub/in.txt"])
})

test("what is written goes to the host when a file is closed, synced, or left open at the end", async () => {
  await using runner = await startRunner(puppet)
  const { files, asked, host } = folderOf({ "old.txt": "old text", "log.txt": "a" })
  const { errnos, answered } = await play(
    runner,
    [
      open("new.txt", { how: creates | only_new, rights: writes }),
      ["fd_write", 4, { from: "hello" }, 1, { room: 4 }],
      ["fd_pwrite", 4, { from: "J" }, 1, 0n, { room: 4 }],
      ["fd_close", 4],
      open("new.txt", { how: creates | only_new, rights: writes }),
      open("log.txt", { rights: writes, flags: 1 }),
      ["fd_write", 4, { from: "b" }, 1, { room: 4 }],
      ["fd_sync", 4],
      ["fd_write", 4, { from: "c" }, 1, { room: 4 }],
      open("old.txt", { how: truncates, rights: writes | reads }),
      ["fd_filestat_set_size", 5, 2n],
      open("old.txt", { rights: reads }),
      ["fd_seek", 6, 0n, 2, { room: 8 }],
      open("empty.txt", { how: creates, rights: reads }),
    ],
    { folders: writable, host },
  )
  expect("failed" in answered).toBe(false)
  expect(errnos).toEqual(errnos.map((_, index) => (index === 4 ? exist : success)))
  expect(files).toEqual({ "new.txt": "Jello", "log.txt": "abc", "old.txt": "\0\0", "empty.txt": "" })
  const written = asked.filter((line) => line.startsWith("fs_write"))
  expect(written).toEqual(
    ["new.txt", "log.txt", "log.txt", "old.txt", "empty.txt"].map((name) => `fs_write /data ${name}`),
  )
})

test("what a call that fails has not closed is not written", async () => {
  await using runner = await startRunner(puppet)
  const { files, host } = folderOf({})
  const open_file: Step = open("new.txt", { how: creates, rights: writes })
  // The host is gone for the last step, which is no errno but the end.
  const { answered } = await play(runner, [open_file, ["fd_write", 4, { from: "x" }, 1, { room: 4 }]], {
    folders: writable,
    host: (name, argument) => (name === "fs_write" ? host_errors.failed : host(name, argument)),
  })
  expect(answered).toEqual({ failed: "output", message: "what it wrote to new.txt could not be kept" })
  expect(files).toEqual({})
})

test.each([
  ["denied", notcapable],
  ["not_found", noent],
  ["invalid", inval],
  ["too_large", fbig],
  ["failed", io],
  ["unknown", nosys],
] as const)("where the host says %s, the guest hears the errno of it", async (error, expected) => {
  await using runner = await startRunner(puppet)
  const { errnos } = await play(runner, [open("in.txt")], {
    folders: readable,
    host: () => host_errors[error],
  })
  expect(errnos).toEqual([expected])
})

test("a folder is listed in pieces of any size", async () => {
  await using runner = await startRunner(puppet)
  const { host } = folderOf({ a: "", bcd: "" })
  const { errnos, rooms } = await play(
    runner,
    [
      ["fd_readdir", 3, { room: 200 }, 200, 0n, { room: 4 }],
      ["fd_readdir", 3, { room: 30 }, 30, 0n, { room: 4 }],
      ["fd_readdir", 3, { room: 200 }, 200, 1n, { room: 4 }],
      ["fd_readdir", 3, { room: 200 }, 200, 99n, { room: 4 }],
      ["fd_readdir", 3, { room: 200 }, 200, -1n, { room: 4 }],
      ["fd_readdir", 0, { room: 200 }, 200, 0n, { room: 4 }],
      open("a", { how: only_folders }),
    ],
    { folders: readable, host },
  )
  expect(errnos).toEqual([success, success, success, success, inval, notdir, notdir])
  expect([1, 3, 5, 7].map((room) => rooms[room]!.readUInt32LE())).toEqual([24 + 1 + 24 + 3, 30, 24 + 3, 0])
  expect(rooms[0]!.subarray(24, 25).toString()).toBe("a")
  expect(rooms[4]!.subarray(24, 27).toString()).toBe("bcd")
})

test.each<[string, Step, number]>([
  ["more pieces than there may be", ["fd_write", 1, 0, 1025, { room: 4 }], inval],
  ["four thousand million pieces", ["fd_read", 0, 0, -1, { room: 4 }], success],
  ["pieces outside of memory", ["fd_write", 1, outside, 1, { room: 4 }], fault],
  ["an answer outside of memory", ["fd_write", 1, { from: "x" }, 1, outside + 1], fault],
  ["random bytes beyond memory", ["random_get", 0, -1], fault],
  ["random bytes from its end", ["random_get", memory_bytes - 1, 2], fault],
  ["a clock outside of memory", ["clock_time_get", 0, 0n, -8], fault],
  ["a clock that there is not", ["clock_time_get", 99, 0n, { room: 8 }], inval],
  ["a descriptor of the last number", ["fd_close", -1], badf],
  ["a seek to before the start", ["fd_seek", 4, -1n, 0, { room: 8 }], inval],
  ["a seek to the end of all numbers", ["fd_seek", 4, (1n << 63n) - 1n, 1, { room: 8 }], inval],
  ["a seek from nowhere", ["fd_seek", 4, 0n, 9, { room: 8 }], inval],
  ["a write far behind the end", ["fd_pwrite", 4, { from: "x" }, 1, 1n << 40n, { room: 4 }], fbig],
  ["a file of eight megabytes and one byte", ["fd_filestat_set_size", 4, (8n << 20n) + 1n], fbig],
  ["a read of the rest of all memory", ["fd_pread", 4, outside, 1, 0n, { room: 4 }], fault],
  ["a folder's name in too little room", ["fd_prestat_dir_name", 3, { room: 4 }, 4], nametoolong],
  ["the name of what has none", ["fd_prestat_get", 4, { room: 8 }], badf],
  ["waiting for nothing", ["poll_oneoff", 0, 0, 0, { room: 4 }], inval],
  ["waiting for more than there is memory", ["poll_oneoff", 0, 0, -1, { room: 4 }], inval],
  ["reading a folder as a file", ["fd_read", 3, { into: 4 }, 1, { room: 4 }], isdir],
])("%s is an errno", async (_, step, expected) => {
  await using runner = await startRunner(puppet)
  const { host } = folderOf({ file: "text" })
  const opened = open("file", { rights: reads | writes })
  const { errnos } = await play(runner, [opened, step], { folders: writable, host })
  expect(errnos).toEqual([success, expected])
})

test("only so many files are open at once, and only so much of them is held", async () => {
  await using runner = await startRunner(puppet)
  const { host } = folderOf({ file: "x" })
  const many = Array.from({ length: 66 }, () => open("file"))
  const files = await play(runner, many, { folders: readable, host })
  expect(files.errnos).toEqual([...Array(64).fill(success), mfile, mfile])
  const sizes = Array.from({ length: 8 }, (_, index): Step[] => [
    open(`${index}`, { how: creates, rights: writes }),
    ["fd_filestat_set_size", 4 + index, 8n << 20n],
  ])
  const keep: HostFunction = (name) => (name === "fs_stat" ? host_errors.not_found : new Uint8Array(0))
  const held = await play(runner, sizes.flat(), { folders: writable, host: keep })
  expect(held.errnos.filter((number) => number === nomem)).toHaveLength(4)
})

test("what is written to each stream is kept up to 64 KiB", async () => {
  await using runner = await startRunner(puppet)
  const { answered } = await play(runner, [
    ["fd_write", 1, { from: "x".repeat(60_000) }, 1, { room: 4 }],
    ["fd_write", 2, { from: "an error" }, 1, { room: 4 }],
    ["fd_write", 1, { from: "y".repeat(6000) }, 1, { room: 4 }],
    ["fd_write", 1, { from: "z" }, 1, { room: 4 }],
  ])
  expect(answered).toMatchObject({ stdout: `${"x".repeat(60_000)}${"y".repeat(5536)}`, stderr: "an error" })
})

test("a guest that ends itself has failed, and what it wrote by then is there", async () => {
  await using runner = await startRunner(puppet)
  runner.send("call", { function: "leave", env: {} })
  const frame = await runner.next()
  expect(frame?.header).toEqual({
    kind: "exit",
    message: "it exited with status 7",
    stdout: "",
    stderr: "last words",
  })
})

test("a guest may wait by a clock, and its events say which", async () => {
  await using runner = await startRunner(puppet)
  const subscription = Buffer.alloc(48)
  subscription.writeBigUInt64LE(77n, 0)
  subscription.writeUInt32LE(1, 16)
  subscription.writeBigUInt64LE(5_000_000n, 24)
  const before = performance.now()
  const { errnos, rooms } = await play(runner, [
    ["poll_oneoff", subscription.toString("latin1"), { room: 32 }, 1, { room: 4 }],
  ])
  expect(performance.now() - before).toBeGreaterThan(4)
  expect(errnos).toEqual([success])
  expect(rooms[0]!.readBigUInt64LE(0)).toBe(77n)
  expect(rooms[1]!.readUInt32LE(0)).toBe(1)
})

const number = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.constantFrom(4096, 65536, outside, memory_bytes, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff),
  fc.nat(memory_bytes),
)
const wide = fc.oneof(
  number.map(BigInt),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constant(everything),
)
const any_step = fc.constantFrom(...wasi_names.filter((name) => name !== "poll_oneoff")).chain((name) => {
  const words = [...wasi_calls[name]].map((type): fc.Arbitrary<Word> => (type === "i" ? number : wide))
  return fc.tuple(...words).map((values): Step => [name, ...values])
})
const some_path = fc.constantFrom("a", "b/c", "sub", "..", "new")
const any_open = fc
  .tuple(some_path, fc.nat(15), fc.constantFrom(reads, writes, reads | writes, everything), fc.nat(1))
  .map(([path, how, rights, flags]) => open(path, { how, rights, flags }))

test("whatever numbers a guest calls WASI with, it hears an errno or ends, and the runner stays as it is", async () => {
  await using runner = await startRunner(puppet)
  const steps = fc.array(fc.oneof({ weight: 1, arbitrary: any_open }, { weight: 4, arbitrary: any_step }), {
    maxLength: 30,
  })
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (played, may_write) => {
      const { host } = folderOf({ a: "text", "b/c": "more", sub: "" })
      const { answered, errnos } = await play(runner, played, {
        folders: may_write ? writable : readable,
        host,
      })
      // The guest may have written over its own steps, and then end as it likes; but the runner answers.
      if ("output" in answered) expect(errnos).toHaveLength(played.length)
      else expect(["trap", "abi", "output"]).toContain(answered.failed)
    }),
    { numRuns: 300 },
  )
  const { errnos } = await play(runner, [["sched_yield"]])
  expect(errnos).toEqual([success])
  const resident_bytes = Number(readFileSync(`/proc/${runner.pid}/statm`, "utf8").split(" ")[1]) * 4096
  expect(resident_bytes).toBeLessThan(400 << 20)
}, 60_000)
