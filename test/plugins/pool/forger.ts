/** Takes a runner's place and answers the first call with what no runner would say: `bun forger.ts FORGERY …`. */
import { closeSync, readSync, writeSync } from "node:fs"
import { makeBlocking } from "../../../src/kernel/waiting.ts"
import { encodeFrame, kinds, openDecoder } from "../../../src/plugins/frames.ts"

const wait = makeBlocking([0, 1])
const decoder = openDecoder(1 << 26, "gateway")
const chunk = Buffer.alloc(65_536)

function receive() {
  for (;;) {
    const frame = decoder.next()
    if (frame) return frame
    const read = readSync(0, chunk, 0, chunk.length, null)
    if (read === 0) process.exit(0)
    decoder.push(chunk.subarray(0, read))
  }
}

function send(...frames: Uint8Array[]): void {
  const bytes = Buffer.concat(frames)
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(1, bytes, sent)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown
      wait(1, "write")
    }
  }
}

const u32 = (value: number) => new Uint8Array(new Uint32Array([value]).buffer)
const frameOf = (kind: number, header: string, header_bytes = Buffer.byteLength(header), body = "") =>
  Buffer.concat([
    u32(5 + Buffer.byteLength(header) + Buffer.byteLength(body)),
    Uint8Array.of(kind),
    u32(header_bytes),
    Buffer.from(header + body),
  ])
const done = (header: object = {}, body = "fine") =>
  encodeFrame("done", { stdout: "", stderr: "", ...header }, Buffer.from(body))
const host = (header: object, body = "") => encodeFrame("host", header, Buffer.from(body))

const packed = (files: [string, number][]) => ({ folders: [{ path: "data", writable: true, files }] })

const forgeries: Record<string, () => void> = {
  none: () => send(done()),
  "a length of four gigabytes": () => send(u32(0xffff_ffff), new Uint8Array(100)),
  "a length of nothing": () => send(u32(0), done()),
  "an unknown kind": () => send(frameOf(99, "{}")),
  "a kind of the gateway's": () => send(frameOf(kinds.answer, '{"error":0}')),
  "a header longer than its frame": () => send(frameOf(kinds.done, "{}", 1000)),
  "a header of two megabytes": () => send(done({ more: "x".repeat(2 << 20) })),
  "a header that is no JSON": () => send(frameOf(kinds.done, "{what}")),
  "a header that is no text": () => send(Uint8Array.of(7, 0, 0, 0, 19, 2, 0, 0, 0, 0xff, 0xfe)),
  "a header that is a list": () => send(frameOf(kinds.done, "[]")),
  "a header nested a hundred thousand times": () =>
    send(frameOf(kinds.done, `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)),
  "a header of a hundred thousand lists": () =>
    send(frameOf(kinds.done, `{"stdout":"","stderr":"","a":[${"[],".repeat(100_000)}0]}`)),
  "a call of the host with a long header": () => send(host({ function: "log", more: "x".repeat(5000) })),
  "an argument that is too long": () => send(host({ function: "log" }, "x".repeat(100_000))),
  "a file where there are no folders": () => send(host({ function: "fs_write" }, "x".repeat(1_000_000))),
  "ready once more": () => send(encodeFrame("ready", { missing: [] })),
  "loaded once more": () => send(encodeFrame("loaded", {})),
  "two answers": () => send(done(), done()),
  "an answer while the host works": () => send(host({ function: "log" }), done()),
  "an answer while the host still works": () => {
    send(host({ function: "log" }))
    Bun.sleepSync(50)
    send(done())
  },
  "an answer that nobody asked for": () => {
    send(done())
    Bun.sleepSync(50)
    send(done())
  },
  "two calls of the host at once": () => send(host({ function: "log" }), host({ function: "log" })),
  "a function without a name": () => send(host({})),
  "a function with a long name": () => send(host({ function: "x".repeat(100) })),
  "an output that is too long": () => send(done({}, "x".repeat(100_000))),
  "text that is a number": () => send(done({ stdout: 5 })),
  "text that is too long": () => send(done({ stderr: "x".repeat(70_000) })),
  "a status that is none": () => send(done({ exit_code: "zero" })),
  "folders that are none": () => send(done({ folders: [null] })),
  "folders of numbers": () => send(done({ ...packed([5 as never]), output_bytes: 4 })),
  "files that say nothing of their size": () => send(done({ ...packed([["a"] as never]), output_bytes: 4 })),
  "files without an output before them": () => send(done(packed([["a", 4]]))),
  "an output that is longer than its frame": () => send(done({ ...packed([]), output_bytes: 5 })),
  "a file that is longer than its frame": () => send(done({ ...packed([["a", 5]]), output_bytes: 0 })),
  "a file that is shorter than its frame": () => send(done({ ...packed([["a", 3]]), output_bytes: 0 })),
  "a file of less than nothing": () => send(done({ ...packed([["a", -1]]), output_bytes: 5 })),
  "a file of half a byte": () => send(done({ ...packed([["a", 3.5]]), output_bytes: 0.5 })),
  "files of 16 EiB": () => send(done({ ...packed(Array(1000).fill(["a", 2 ** 54])), output_bytes: 4 })),
  "more files than there may be": () =>
    send(done({ ...packed(Array.from({ length: 1001 }, (_, index) => [`${index}`, 0])), output_bytes: 4 })),
  "more in its files than there may be": () => {
    const bytes = (16 << 20) + 1
    send(done({ ...packed([["a", bytes]]), output_bytes: 0 }, "x".repeat(bytes)))
  },
  "a path that is too long": () => send(done({ ...packed([["a".repeat(5000), 0]]), output_bytes: 4 })),
  "paths that are too long together": () =>
    send(done({ ...packed(Array(100).fill(["a".repeat(4000), 0])), output_bytes: 4 })),
  "more folders than it was given": () =>
    send(done({ folders: Array(2).fill(packed([]).folders[0]), output_bytes: 4 })),
  "a folder and its files": () =>
    send(
      done({
        ...packed([
          ["a", 1],
          ["b/c", 0],
          ["d", 2],
        ]),
        output_bytes: 1,
      }),
    ),
  "a failure of no kind": () => send(encodeFrame("failed", { message: "no", stdout: "", stderr: "" })),
  "a failure that is the gateway's to say": () =>
    send(encodeFrame("failed", { kind: "time", message: "no", stdout: "", stderr: "" })),
  "a failure without a message": () => send(encodeFrame("failed", { kind: "trap", stdout: "", stderr: "" })),
  "a call of the host, and its end": () => {
    send(host({ function: "log" }))
    process.exit(7)
  },
  "an answer, and no ear for more": () => {
    closeSync(0)
    send(done())
    Bun.sleepSync(20_000)
  },
  "forty large files, one after the other": () => {
    const file = host({ function: "fs_write" }, "x".repeat(8 << 20))
    for (let count = 0; count < 40; count++) {
      send(file)
      if (`${Buffer.from(receive().body)}` !== "xxxx") process.exit(1)
    }
    send(done())
  },
  "bytes without end": () => {
    for (;;) send(new Uint8Array(1 << 16))
  },
}

const forgery = process.argv[2]!
if (forgery === "walls that are none") send(encodeFrame("ready", { missing: [1] }))
else if (forgery === "nothing but noise") send(Buffer.from("Segmentation fault\n".repeat(10)))
else send(encodeFrame("ready", { missing: [] }))
receive()
if (forgery === "a load without end") receive()
if (forgery === "loaded twice") send(encodeFrame("loaded", {}), encodeFrame("loaded", {}))
else if (forgery === "a result of its load") send(done())
else send(encodeFrame("loaded", {}))
receive()
// What is not read must not pile up at the other end.
if (forgery === "questions whose answers it does not read") {
  for (;;) {
    send(host({ function: "log" }))
    Bun.sleepSync(5)
  }
}
if (forgery === "memory once its call is over") send(done())
if (forgery === "work once its call is over") {
  send(done())
  for (;;);
}
if (forgery.startsWith("memory ")) {
  const held: Buffer[] = []
  // Slowly, for the sake of the machine.
  for (;;) {
    held.push(Buffer.alloc(1 << 22, 1))
    Bun.sleepSync(2)
  }
}
forgeries[forgery]?.()
receive()
