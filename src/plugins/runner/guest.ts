import { WasiError } from "./preview1.ts"
import { Trap } from "./trap.ts"

/** What one instance is given and what it leaves behind. */
export type Guest = {
  /** undefined until there is an instance. */
  memory: WebAssembly.Memory | undefined
  /** What `take_result` gives. */
  result: Uint8Array | undefined
}

/** To be asked for anew after anything that may have let the guest run: growing puts another one in its place. */
export function bufferOf(guest: Guest): ArrayBuffer {
  if (!guest.memory) throw new Trap("it called the host before it was there")
  return guest.memory.buffer
}

/** A part of the guest's memory, by numbers of its choice. Throws WasiError. */
export function bytesAt(guest: Guest, at: number, length: number): Uint8Array {
  const buffer = bufferOf(guest)
  if (at + length > buffer.byteLength) throw new WasiError("fault")
  return new Uint8Array(buffer, at, length)
}

export function viewAt(guest: Guest, at: number, length: number): DataView {
  const buffer = bufferOf(guest)
  if (at + length > buffer.byteLength) throw new WasiError("fault")
  return new DataView(buffer, at, length)
}

export const putU32 = (guest: Guest, at: number, value: number) =>
  viewAt(guest, at, 4).setUint32(0, value, true)

export const putU64 = (guest: Guest, at: number, value: bigint) =>
  viewAt(guest, at, 8).setBigUint64(0, value, true)

const vectors_max = 1024

/** The pieces of memory that a list of `{u32 address, u32 length}` names. Throws WasiError. */
export function vectorsAt(guest: Guest, at: number, count: number): Uint8Array[] {
  if (count > vectors_max) throw new WasiError("inval")
  const list = viewAt(guest, at, count * 8)
  return Array.from({ length: count }, (_, index) =>
    bytesAt(guest, list.getUint32(index * 8, true), list.getUint32(index * 8 + 4, true)),
  )
}
