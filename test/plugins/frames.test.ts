import { expect, test } from "bun:test"
import fc from "fast-check"
import {
  type Decoder,
  encodeFrame,
  type Frame,
  FrameError,
  type Kind,
  kinds,
  openDecoder,
} from "../../src/plugins/frames.ts"

const names = Object.keys(kinds) as Kind[]
const from_runner = names.filter((name) => kinds[name] >= 16)
const from_gateway = names.filter((name) => kinds[name] < 16)
const bytes_max = 1 << 16

const frame = fc.record({
  kind: fc.constantFrom(...from_runner),
  header: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))),
  body: fc.uint8Array({ maxLength: 300 }),
})

/** Everything that comes of the pieces, in order. */
function decode(pieces: Uint8Array[], sender: "gateway" | "runner" = "runner"): Frame[] {
  const decoder = openDecoder(bytes_max, sender)
  const frames: Frame[] = []
  for (const piece of pieces) {
    decoder.push(piece)
    for (let next = decoder.next(); next; next = decoder.next()) frames.push(next)
  }
  return frames
}

function split(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

/** A frame by its numbers, right or wrong. */
function forge(payload: number, kind: number, header_bytes: number, rest: Uint8Array): Buffer {
  const start = Buffer.alloc(9)
  start.writeUInt32LE(payload, 0)
  start[4] = kind
  start.writeUInt32LE(header_bytes, 5)
  return Buffer.concat([start, rest])
}

/** JSON keeps neither `__proto__` nor -0. */
const viaJson = (value: object): unknown => JSON.parse(JSON.stringify(value))

test("frames are the same in whatever pieces they come", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.nat(5000), { maxLength: 20 }),
      (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ kind, header, body }) => encodeFrame(kind, header, body)))
        const got = decode(split(bytes, cuts))
        expect(got.map(({ kind, body }) => [kind, [...body]])).toEqual(
          sent.map(({ kind, body }) => [kind, [...body]]),
        )
        expect(got.map(({ header }) => header)).toEqual(
          sent.map(({ header }) => viaJson(header)) as Frame["header"][],
        )
      },
    ),
  )
})

test("what was read stays as it is while more is read", () => {
  const decoder = openDecoder(bytes_max, "runner")
  decoder.push(encodeFrame("done", {}, Buffer.from("first")))
  const first = decoder.next()!
  decoder.push(encodeFrame("done", {}, Buffer.from("other")))
  decoder.next()
  expect(Buffer.from(first.body).toString()).toBe("first")
})

test("any bytes give frames or are refused, and then nothing more is read", () => {
  const start = fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 40 }))
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 3 }), start, fc.array(fc.nat(500)), (sent, noise, cuts) => {
      const right = sent.map(({ kind, header, body }) => encodeFrame(kind, header, body))
      const decoder = openDecoder(bytes_max, "runner")
      let is_refused = false
      for (const piece of split(Buffer.concat([...right, noise, ...right]), cuts)) {
        decoder.push(piece)
        try {
          while (decoder.next());
          expect(is_refused).toBe(false)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(FrameError)
          is_refused = true
        }
      }
    }),
  )
})

test.each([
  ["of four gigabytes", forge(0xffffffff, kinds.done, 2, Buffer.from("{}"))],
  ["one byte longer than what is allowed", forge(bytes_max + 1, kinds.done, 2, Buffer.from("{}"))],
  ["too short for its own fields", forge(4, kinds.done, 0, Buffer.alloc(0))],
  ["of no length", forge(0, kinds.done, 0, Buffer.alloc(0))],
  ["of an unknown kind", forge(7, 99, 2, Buffer.from("{}"))],
  ["of kind 0", forge(7, 0, 2, Buffer.from("{}"))],
  ["of the other side", encodeFrame("call", {})],
  ["with a header of four gigabytes", forge(7, kinds.done, 0xffffffff, Buffer.from("{}"))],
  ["with a header one byte longer than it", forge(7, kinds.done, 3, Buffer.from("{} "))],
  ["with a header that is no JSON", forge(7, kinds.done, 2, Buffer.from("{]"))],
  ["without a header", forge(5, kinds.done, 0, Buffer.alloc(0))],
  ["with a list as its header", forge(7, kinds.done, 2, Buffer.from("[]"))],
  ["with nothing as its header", forge(9, kinds.done, 4, Buffer.from("null"))],
  ["with a header that is no UTF-8", forge(9, kinds.done, 4, Buffer.from([0x22, 0xff, 0xfe, 0x22]))],
  ["with a header that nests", encodeFrame("done", { a: [[[[[[[[]]]]]]]] })],
  ["with too many values in its header", encodeFrame("done", { a: Array(6000).fill([]) })],
  ["with a long header where there is little to say", encodeFrame("host", { function: "x".repeat(5000) })],
])("a frame %s is refused", (_, bytes) => {
  expect(() => decode([bytes])).toThrow(FrameError)
  expect(() => decode(split(bytes, [1, 2, 3, 4, 5, 6, 7, 8]))).toThrow(FrameError)
})

test("either side reads only what the other one may send", () => {
  for (const kind of from_gateway) expect(decode([encodeFrame(kind, {})], "gateway")).toHaveLength(1)
  for (const kind of from_runner) expect(() => decode([encodeFrame(kind, {})], "gateway")).toThrow(FrameError)
})

test("a forged length is refused by its first bytes, before anything else has come", () => {
  const decoder = openDecoder(bytes_max, "runner")
  decoder.push(forge(bytes_max + 1, kinds.done, 2, Buffer.alloc(0)).subarray(0, 4))
  expect(() => decoder.next()).toThrow(FrameError)
})

test("an announced frame takes no room before its header has come, and its body only what comes of it", () => {
  const announced = 16 << 20
  const start = forge(announced, kinds.done, 2, Buffer.from("{}"))
  const decoders = Array.from({ length: 20 }, () => openDecoder(announced, "runner"))
  const all = (act: (decoder: Decoder) => void) => decoders.forEach(act)
  const before = process.memoryUsage()
  all((decoder) => decoder.push(start.subarray(0, -1)))
  all((decoder) => expect(decoder.next()).toBeUndefined())
  expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(1 << 20)
  all((decoder) => decoder.push(start.subarray(-1)))
  all((decoder) => expect(decoder.next()).toBeUndefined())
  expect(process.memoryUsage.rss() - before.rss).toBeLessThan(announced)
})

test("a body is copied once, into bytes of its own, and nothing is asked for besides", () => {
  const body = new Uint8Array(8 << 20).fill(7)
  const bytes = encodeFrame("host", { function: "fs_write" }, body)
  const cuts = Array.from({ length: 80 }, (_, index) => 100_000 * (index + 1))
  const pieces = split(bytes, cuts)
  const decoder = openDecoder(16 << 20, "runner")
  const before = process.memoryUsage().arrayBuffers
  let frame: Frame | undefined
  for (const piece of pieces) {
    expect(frame).toBeUndefined()
    decoder.push(piece)
    frame = decoder.next()
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(body.length + (1 << 20))
  expect(frame!.body.buffer.byteLength).toBe(body.length)
  expect(Buffer.compare(frame!.body, body)).toBe(0)
})

test("a whole frame of the most bytes is read", () => {
  const body = new Uint8Array(bytes_max - 7).fill(7)
  expect(decode(split(encodeFrame("done", {}, body), [10, 9000, 30000]))[0]!.body).toEqual(body)
})
