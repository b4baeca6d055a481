/** Numbers below 1 that look random and are the same on every machine (mulberry32). */
export type Random = () => number

export function seededRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from the first to the last, both included. */
export const between = (random: Random, first: number, last: number) =>
  first + Math.floor(random() * (last - first + 1))

export function pick<T>(random: Random, list: readonly T[]): T {
  const value = list[between(random, 0, list.length - 1)]
  if (value === undefined) throw new Error("nothing to pick from")
  return value
}
