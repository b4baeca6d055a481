import { ptr } from "bun:ffi"
import { constants } from "node:os"

export type Machine = "x64" | "arm64"
export type Instruction = [code: number, k: number, yes: number, no: number]

/** Classic BPF: load a word of the call's description, compare, and with it, mask, answer. */
export const LOAD = 0x20
export const IF_EQUAL = 0x15
export const IF_AT_LEAST = 0x35
export const IF_ANY_BIT = 0x45
export const ANSWER = 0x06
export const allow = 0x7fff0000
export const kill = 0x80000000
export const errno = (name: keyof typeof constants.errno) => 0x00050000 | constants.errno[name]

export const number_at = 0
export const machine_at = 4
/** The lower half of an argument. */
export const argument_at = (index: number) => 16 + 8 * index
export const machines: Record<Machine, number> = { x64: 0xc000003e, arm64: 0xc00000b7 }
/** Every namespace but time's, which clone does not make. */
export const clone_namespaces = 0x7e020000

export function toBytes(code: Instruction[]): Buffer {
  const bytes = Buffer.alloc(code.length * 8)
  for (const [index, [operation, k, yes, no]] of code.entries()) {
    bytes.writeUInt16LE(operation, index * 8)
    bytes.writeUInt8(yes, index * 8 + 2)
    bytes.writeUInt8(no, index * 8 + 3)
    bytes.writeUInt32LE(k, index * 8 + 4)
  }
  return bytes
}

/** What the kernel is given: the filter's length and where it is. Both must be held while the call lasts. */
export function toProgram(filter: Buffer): Buffer {
  const program = Buffer.alloc(16)
  program.writeUInt16LE(filter.length / 8, 0)
  program.writeBigUInt64LE(BigInt(ptr(filter)), 8)
  return program
}
