/**
 * Vectors as embedders make them, the same on every run: 1,000 clusters, of which few have most of the rows (Zipf), in
 * 64 dimensions that are bent into `dim` by tanh, with a little noise, of length 1.
 */
const latent = 64
const count = 1000
const within = 0.7
const noise = 0.05

export type Clusters = { rows: Float32Array<ArrayBuffer>; queries: Float32Array<ArrayBuffer>; dim: number }

export type ClusterStream = {
  /** Overwrites a whole number of rows with the next ones: any number of them is made without all being held. */
  fill(rows: Float32Array): void
}

/** The queries are made first, so that more rows are the same rows and some. */
export function makeClusters(n: number, queries: number, dim: number, seed = 7): Clusters {
  const stream = openClusters(dim, seed)
  const made = { rows: new Float32Array(n * dim), queries: new Float32Array(queries * dim), dim }
  stream.fill(made.queries)
  stream.fill(made.rows)
  return made
}

export function openClusters(dim: number, seed = 7): ClusterStream {
  const uniform = openUniform(seed)
  const centres = new Float32Array(count * latent)
  const bend = new Float32Array(latent * dim)
  addBell(centres, 1, uniform)
  addBell(bend, 1 / Math.sqrt(latent), uniform)
  const shares = Float64Array.from({ length: count }, (_, i) => 1 / (i + 1) ** 0.7)
  let total = 0
  for (let i = 0; i < count; i++) total = shares[i]! += total
  const place = new Float32Array(latent)
  const row = new Float32Array(dim)
  return {
    fill(rows) {
      for (let at = 0; at < rows.length; at += dim) {
        row.fill(0)
        const centre = firstAbove(shares, uniform() * total)
        place.set(centres.subarray(latent * centre, latent * centre + latent))
        addBell(place, within, uniform)
        for (let i = 0; i < latent; i += 4) addFour(row, bend, i * dim, place, i)
        bendAll(row)
        addBell(row, noise, uniform)
        toLengthOne(row)
        rows.set(row, at)
      }
    },
  }
}

/** tanh, in a third of the time of Math.tanh. */
function bendAll(row: Float32Array): void {
  for (let i = 0; i < row.length; i++) row[i] = 1 - 2 / (Math.exp(2 * row[i]!) + 1)
}

/** Four at once, as each addition reads and writes the row. */
function addFour(row: Float32Array, bend: Float32Array, at: number, place: Float32Array, from: number): void {
  const { length } = row
  const a = place[from]!
  const b = place[from + 1]!
  const c = place[from + 2]!
  const d = place[from + 3]!
  for (let i = 0, j = at; i < length; i++, j++)
    row[i] =
      row[i]! + a * bend[j]! + b * bend[j + length]! + c * bend[j + 2 * length]! + d * bend[j + 3 * length]!
}

function toLengthOne(row: Float32Array): void {
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += row[i]! * row[i]!
  const by = 1 / Math.sqrt(sum)
  for (let i = 0; i < row.length; i++) row[i] = row[i]! * by
}

function firstAbove(sums: Float64Array, wanted: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sums[middle]! > wanted) high = middle
    else low = middle + 1
  }
  return low
}

/** Adds numbers of the normal distribution, two at a time (Marsaglia's polar method). */
function addBell(values: Float32Array, by: number, uniform: () => number): void {
  for (let i = 0; i < values.length; i += 2) {
    let [x, y, square] = [0, 0, 0]
    while (square >= 1 || square === 0) {
      x = 2 * uniform() - 1
      y = 2 * uniform() - 1
      square = x * x + y * y
    }
    const length = by * Math.sqrt((-2 * Math.log(square)) / square)
    values[i] = values[i]! + x * length
    if (i + 1 < values.length) values[i + 1] = values[i + 1]! + y * length
  }
}

/** sfc32 (Doty-Humphrey, PractRand), from 0 to 1. */
function openUniform(seed: number): () => number {
  const state = Int32Array.of(seed, 0x9e3779b9, 0x243f6a88, 1)
  const next = () => {
    const [a, b, c, counter] = [state[0]!, state[1]!, state[2]!, state[3]!]
    const sum = (((a + b) | 0) + counter) | 0
    state[3] = counter + 1
    state[0] = b ^ (b >>> 9)
    state[1] = c + (c << 3)
    state[2] = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 12; i++) next()
  return next
}
