/** The first 16 bytes of sha256: the same text has the same vector, and need not be sent twice. */
export const hashText = (text: string): Uint8Array =>
  new Uint8Array(new Bun.CryptoHasher("sha256").update(text).digest().subarray(0, 16))
