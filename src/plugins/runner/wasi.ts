import { keepText, openDescriptors } from "./descriptors.ts"
import { type AskHost, type GuestCall, GuestFailed } from "./engine.ts"
import { type GuestFiles, openFiles } from "./files.ts"
import { bytesAt, type Guest, putU32, putU64, viewAt } from "./guest.ts"
import { errno, type WasiCall, WasiError } from "./preview1.ts"
import { descriptorCalls, lengthOf } from "./wasi-descriptors.ts"
import { pathCalls } from "./wasi-paths.ts"

export type Wasi = {
  find(name: string): (...words: (number | bigint)[]) => number
  stdout(): string
  stderr(): string
  files: GuestFiles
}

const clocks = { realtime: 0, monotonic: 1 }
/** Of WebCrypto, for one call. */
const random_bytes_max = 65536

/**
 * WASI preview 1 for one call of a reactor: no arguments, an empty standard input, no sockets, and of files what the
 * host gives. Every number comes from the guest and may be anything.
 */
export function openWasi(guest: Guest, call: Pick<GuestCall, "env" | "folders">, ask: AskHost): Wasi {
  const [stdout, stderr] = [keepText(), keepText()]
  const files = openFiles(call.folders ?? [], ask)
  const descriptors = openDescriptors(files, stdout, stderr)
  const calls: Record<string, WasiCall> = {
    ...listCalls("args", guest, []),
    ...listCalls(
      "environ",
      guest,
      Object.entries(call.env).map(([name, value]) => Buffer.from(`${name}=${value}\0`)),
    ),
    ...clockCalls(guest),
    ...descriptorCalls(guest, descriptors, files),
    ...pathCalls(guest, descriptors, files),
    random_get(at: number, length: number) {
      const bytes = bytesAt(guest, at, length) as Uint8Array<ArrayBuffer>
      for (let start = 0; start < length; start += random_bytes_max) {
        crypto.getRandomValues(bytes.subarray(start, start + random_bytes_max))
      }
    },
    proc_exit(status: number) {
      throw new GuestFailed("exit", `it exited with status ${status}`)
    },
    sched_yield: () => undefined,
  }
  return {
    find: (name) => (Object.hasOwn(calls, name) ? guarded(calls[name]!) : () => errno.nosys),
    stdout: stdout.text,
    stderr: stderr.text,
    files,
  }
}

function guarded(call: WasiCall): (...words: (number | bigint)[]) => number {
  return (...words) => {
    try {
      call(...(words.map((word) => (typeof word === "number" ? word >>> 0 : word)) as never[]))
      return errno.success
    } catch (thrown) {
      if (thrown instanceof WasiError) return thrown.number
      throw thrown
    }
  }
}

/** Of arguments and of the environment: how many, and where they are put. */
function listCalls(name: "args" | "environ", guest: Guest, items: Uint8Array[]): Record<string, WasiCall> {
  return {
    [`${name}_sizes_get`](count: number, bytes: number) {
      putU32(guest, count, items.length)
      putU32(guest, bytes, lengthOf(items))
    },
    [`${name}_get`](pointers: number, texts: number) {
      let at = texts
      for (const [index, item] of items.entries()) {
        putU32(guest, pointers + 4 * index, at)
        bytesAt(guest, at, item.length).set(item)
        at += item.length
      }
    },
  }
}

function clockCalls(guest: Guest): Record<string, WasiCall> {
  return {
    clock_time_get(clock: number, _precision: bigint, out: number) {
      if (clock > 3) throw new WasiError("inval")
      const now = clock === clocks.realtime ? BigInt(Date.now()) * 1_000_000n : BigInt(Bun.nanoseconds())
      putU64(guest, out, now)
    },
    clock_res_get(clock: number, out: number) {
      if (clock > 3) throw new WasiError("inval")
      putU64(guest, out, clock === clocks.realtime ? 1_000_000n : 1n)
    },
    /** Waits for the first of some clocks. Descriptors are always ready. */
    poll_oneoff(subscriptions: number, events: number, count: number, out: number) {
      if (count === 0 || count > 64) throw new WasiError("inval")
      const list = viewAt(guest, subscriptions, 48 * count)
      let first = { index: 0, wait_ms: Number.POSITIVE_INFINITY }
      for (let index = 0; index < count; index++) {
        const wait_ms = list.getUint8(48 * index + 8) === 0 ? waitOf(list, 48 * index + 16) : 0
        if (wait_ms < first.wait_ms) first = { index, wait_ms }
      }
      // The gateway's deadline ends what waits for too long.
      if (first.wait_ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, first.wait_ms)
      const [data, type] = [list.getBigUint64(48 * first.index, true), list.getUint8(48 * first.index + 8)]
      const event = bytesAt(guest, events, 32)
      event.fill(0)
      putU64(guest, events, data)
      event[10] = type
      putU32(guest, out, 1)
    },
  }
}

function waitOf(list: DataView, at: number): number {
  const clock = list.getUint32(at, true)
  const timeout = list.getBigUint64(at + 8, true)
  const absolute = (list.getUint16(at + 24, true) & 1) !== 0
  if (!absolute) return Number(timeout) / 1e6
  const now = clock === clocks.realtime ? BigInt(Date.now()) * 1_000_000n : BigInt(Bun.nanoseconds())
  return timeout > now ? Number(timeout - now) / 1e6 : 0
}
