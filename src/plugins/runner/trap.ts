/** Thrown by an import to end the guest. No guest can catch it: there are no exceptions in a prepared module. */
export class Trap extends Error {
  override name = "Trap"
}

/** What the engine says, without the parts that are about JavaScript; undefined where it is no trap of a guest. */
export function describeTrap(thrown: unknown): string | undefined {
  if (thrown instanceof RangeError) {
    return /stack/i.test(thrown.message) ? "it ran out of stack" : "out of memory"
  }
  const is_guest =
    thrown instanceof WebAssembly.RuntimeError ||
    thrown instanceof WebAssembly.CompileError ||
    thrown instanceof WebAssembly.LinkError
  if (!is_guest) return undefined
  return thrown.message.replace(/ \(evaluating '.*'\)$/s, "")
}

const string_bytes_max = 2048

/** A string of AssemblyScript: UTF-16, with its length in bytes in front. "" where there is none. */
export function takeString(memory: ArrayBuffer, pointer: number): string {
  const at = pointer >>> 0
  if (at < 4 || at > memory.byteLength) return ""
  const announced = new DataView(memory).getUint32(at - 4, true)
  const length = Math.min(announced, string_bytes_max, memory.byteLength - at) & ~1
  return new TextDecoder("utf-16le").decode(new Uint8Array(memory, at, length))
}
