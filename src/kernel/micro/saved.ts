/** An index as bytes: a header of ten words, then its parts one after the other. */
import { bitmapBytes, type Shape } from "./module.ts"

export type Saved = {
  shape: Shape
  count: number
  linked: number
  rows: Uint8Array
  scales: Uint8Array
  allow: Uint8Array
  graph: Uint8Array
}

/** "WVI1", the low byte first. */
const magic = 0x31495657
const header_words = 10

export function toSaved({
  shape,
  count,
  linked,
  rows,
  scales,
  allow,
  graph,
}: Saved): Uint8Array<ArrayBuffer> {
  const { dim, capacity, degree, breadth } = shape
  const header = Uint32Array.of(magic, 1, dim, capacity, degree, breadth, count, linked, graph.length, 0)
  const parts = [new Uint8Array(header.buffer), rows, scales, allow, graph]
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  return bytes
}

/** Holds it to its own lengths; what its graph says is the kernel's to check. */
export function parseSaved(bytes: Uint8Array): Saved {
  const wrong = (what: string) => new RangeError(`That is no saved index: ${what}.`)
  if (bytes.length < header_words * 4) throw wrong("it is too short")
  const header = new Uint32Array(bytes.slice(0, header_words * 4).buffer)
  const [found, version, dim, capacity, degree, breadth, count, linked, graph_bytes] = [...header]
  if (found !== magic || version !== 1) throw wrong("it is of another kind or version")
  if (count! > capacity! || linked! > count!) throw wrong("it has more vectors than room")
  const lengths = [count! * ((dim! + 31) & ~31), count! * 4, bitmapBytes(count!), graph_bytes!]
  if (lengths.reduce((sum, length) => sum + length, header_words * 4) !== bytes.length)
    throw wrong("it is cut or longer than it says")
  let end = header_words * 4
  const [rows, scales, allow, graph] = lengths.map((length) => {
    end += length
    return bytes.subarray(end - length, end)
  })
  for (const scale of new Float32Array(scales!.slice().buffer))
    if (!(scale >= 0 && scale < 1e17)) throw wrong("a scale is no number")
  const last = new Uint8Array(allow!.slice(Math.floor(count! / 64) * 8))
  for (let bit = count! % 64; bit < last.length * 8; bit++)
    if ((last[bit >> 3]! >> (bit & 7)) & 1) throw wrong("it has bits beyond its vectors")
  const shape = { dim: dim!, capacity: capacity!, degree: degree!, breadth: breadth! }
  return { shape, count: count!, linked: linked!, rows: rows!, scales: scales!, allow: allow!, graph: graph! }
}
