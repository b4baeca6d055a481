import binaryen from "binaryen"

/** A module from its text form, with every feature that Binaryen knows; for those that no toolchain would write, `binary`. */
export function wat(text: string): Uint8Array {
  const module = binaryen.parseText(text)
  try {
    // With garbage collection it writes nulls of types that no other toolchain has heard of.
    module.setFeatures(binaryen.Features.All & ~binaryen.Features.GC)
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}

/** A number of a module's binary form: LEB128, unsigned, in as many bytes as it takes or, padded, in `width`. */
export function leb(value: number, width = 1): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push(rest % 128)
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  while (bytes.length < width) bytes.push(0)
  return bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte))
}

/** A list with its count in front. */
export const vector = (items: readonly (readonly number[])[]): number[] => [
  ...leb(items.length),
  ...items.flat(),
]

export const text = (value: string): number[] => {
  const bytes = new TextEncoder().encode(value)
  return [...leb(bytes.length), ...bytes]
}

export const section = (id: number, body: readonly number[]): number[] => [id, ...leb(body.length), ...body]

/** Magic, version 1, and then the sections as they are, however wrong. */
export const binary = (...sections: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()])
