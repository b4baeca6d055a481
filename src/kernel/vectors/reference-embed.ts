/** native/embed.c in TypeScript, bit for bit: the reasons are there. */

const word_weight = 4
const beginning_weight = 8
const gram_weight = 4
const first_gram_weight = 2
const common_weight = 1
const gram_chars = 4
const beginning_salt = 0x51ed270b
const gram_salt = 0xc2b2ae35
const fnv_offset = 0x811c9dc5
const fnv_prime = 0x01000193
const space = 32

function mix(value: number): number {
  let x = value ^ (value >>> 16)
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  return (x ^ (x >>> 16)) >>> 0
}

function put(work: Int32Array, feature: number, weight: number): void {
  const hash = mix(feature)
  // Below 2^44, which a double holds exactly.
  const place = Math.floor((hash * work.length) / 2 ** 32)
  work[place] = work[place]! + (hash & 1 ? -weight : weight)
}

const isInWord = (byte: number): boolean =>
  byte >= 0x80 || (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57)

function isCommon(hash: number, common: Uint32Array): boolean {
  let at = Math.floor((hash * common.length) / 2 ** 32)
  while (at > 0 && common[at - 1]! >= hash) at--
  while (at < common.length && common[at]! < hash) at++
  return at < common.length && common[at] === hash
}

function putParts(text: Uint8Array, from: number, to: number, work: Int32Array): void {
  let beginning = fnv_offset
  let first = 0
  let second = 0
  let third = space
  for (let i = from, count = 1; i < to; count++) {
    let character = text[i++]!
    while (i < to && (text[i]! & 0xc0) === 0x80) character = (character << 6) ^ text[i++]!
    if (count <= gram_chars) beginning = Math.imul(beginning ^ character, fnv_prime)
    if (count === gram_chars) put(work, beginning ^ beginning_salt, beginning_weight)
    if (count >= gram_chars - 1) {
      let gram = Math.imul((Math.imul(first, 31) + second) | 0, fnv_prime)
      gram = Math.imul((gram + third) | 0, fnv_prime)
      gram = Math.imul((gram + character) | 0, 0x297a2d39)
      put(work, gram ^ gram_salt, count === gram_chars - 1 ? first_gram_weight : gram_weight)
    }
    first = second
    second = third
    third = character
  }
}

function addWords(text: Uint8Array, common: Uint32Array, work: Int32Array): void {
  for (let i = 0; i < text.length; ) {
    if (!isInWord(text[i]!)) {
      i++
      continue
    }
    const start = i
    let hash = fnv_offset
    for (; i < text.length && isInWord(text[i]!); i++) hash = Math.imul(hash ^ text[i]!, fnv_prime)
    if (isCommon(hash >>> 0, common)) {
      put(work, hash, common_weight)
    } else {
      put(work, hash, word_weight)
      putParts(text, start, i, work)
    }
  }
}

/** One row of `dim` a text, one after the other, each of length 1 or zero. Texts have at most 4 MB, so that no sum overflows. */
export function embedReference(texts: readonly Uint8Array[], dim: number, common: Uint32Array): Float32Array {
  const rows = new Float32Array(texts.length * dim)
  const work = new Int32Array(dim)
  for (const [index, text] of texts.entries()) {
    work.fill(0)
    addWords(text, common, work)
    let sum = 0
    for (const place of work) sum += Math.abs(place)
    const scale = sum > 0 ? Math.fround(1 / Math.sqrt(sum)) : 0
    for (const [i, place] of work.entries()) {
      const root = Math.fround(Math.fround(Math.sqrt(Math.fround(Math.abs(place)))) * scale)
      rows[index * dim + i] = place < 0 ? -root : root
    }
  }
  return rows
}
