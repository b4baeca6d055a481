/** Scans of more rows than are scored before the best are kept, of which many are alike: the same as the reference. */
import { expect, test } from "bun:test"
import type { Found } from "../../../src/kernel/vectors/kernel.ts"
import { openReferenceKernel } from "../../../src/kernel/vectors/reference.ts"
import { engines } from "./engines.ts"
import { bitsOf, bytesOf, numbers, regionOf } from "./shapes.ts"

const dim = 5
/** Two blocks of native/scan.h and a rest that is no whole number of 64. */
const n = 2 * 4096 + 100
const reference = openReferenceKernel()
const shape = ({ ids, scores }: Found) => ({ ids: [...ids], scores: bitsOf(scores) })

/** Every row is there about ten times, far from each other. */
function rowsOf(): Float32Array<ArrayBuffer> {
  const some = numbers(800 * dim, 1, "even")
  return Float32Array.from({ length: n * dim }, (_, i) => some[i % some.length]!)
}

const bitmaps: Record<string, (row: number) => boolean> = {
  all: () => true,
  "one of two": (row) => row % 2 === 1,
  "one of forty": (row) => row % 40 === 7,
  "many, then few": (row) => (row < 4096 ? row % 3 > 0 : row % 97 === 0),
  "few, then many": (row) => (row < 4096 ? row % 97 === 0 : row % 3 > 0),
  none: () => false,
}

test.each(
  engines.flatMap(({ name, open }) =>
    [undefined, ...Object.keys(bitmaps)].map((how) => ({ name, open, how: how ?? "any" })),
  ),
)("$name finds the same among many rows of which $how are allowed", ({ open, how }) => {
  const kernel = open()
  const values = rowsOf()
  const allow = how === "any" ? undefined : new Uint8Array(Math.ceil(n / 64) * 8)
  for (let row = 0; allow && row < n; row++)
    if (bitmaps[how]!(row)) allow[row >> 3] = allow[row >> 3]! | (1 << (row & 7))
  const query = numbers(dim, 2, "even")
  const matrix = { n, dim, values }
  using floats = regionOf(kernel, values)
  using same_floats = regionOf(reference, values)
  using bytes = bytesOf(kernel, matrix)
  using same_bytes = bytesOf(reference, matrix)
  for (const k of [1, 30, 5000]) {
    expect(shape(kernel.scanF32(query, floats, n, allow, k))).toEqual(
      shape(reference.scanF32(query, same_floats, n, allow, k)),
    )
    expect(shape(kernel.scanI8(query, bytes, n, allow, k))).toEqual(
      shape(reference.scanI8(query, same_bytes, n, allow, k)),
    )
  }
})
