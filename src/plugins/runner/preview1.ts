/** Numbers of WASI preview 1, of those that are given. */
export const errno = {
  success: 0,
  badf: 8,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nomem: 48,
  nosys: 52,
  notdir: 54,
  notsup: 58,
  spipe: 70,
  notcapable: 76,
} as const

export type ErrnoName = keyof typeof errno

/** Ends a WASI call with that number; the guest goes on. */
export class WasiError extends Error {
  override name = "WasiError"
  readonly number: number

  constructor(name: ErrnoName) {
    super(name)
    this.number = errno[name]
  }
}

/** A WASI call with its integers unsigned. Throws WasiError for what the guest is to hear. */
export type WasiCall = (...words: never[]) => void

/** Of a descriptor or an entry. */
export const file_types = { other: 0, terminal: 2, folder: 3, file: 4 }
