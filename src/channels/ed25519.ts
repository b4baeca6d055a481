const p = 2n ** 255n - 19n
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/** The y of the points whose order divides 8, little-endian in hex; x and its sign do not matter to that. */
const small_orders = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
]

/**
 * Whether 32 bytes are a public key that signatures can be held to. Verification itself takes keys of small order, with
 * which signatures that nobody made are right, and keys in a form other than the one canonical.
 */
export function isUsableKey(key: Uint8Array): boolean {
  if (key.length !== 32) return false
  const bytes = Uint8Array.from(key)
  bytes[31]! &= 0x7f
  if (small_orders.includes(bytes.toHex())) return false
  const y = BigInt(`0x${bytes.toReversed().toHex()}`)
  if (y >= p) return false
  const yy = (y * y) % p
  // x² = (y² - 1) / (d y² + 1), which is no square for half of all y. A quotient is a square where the product is.
  return power((yy - 1n) * (d * yy + 1n), (p - 1n) / 2n) === 1n
}

/** base ** exponent modulo p. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base % p, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % p) {
    if (rest & 1n) result = (result * square) % p
  }
  return result
}
