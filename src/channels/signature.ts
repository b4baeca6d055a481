/** What the schemes of signatures have in common. A new one is a file in `signatures/` and a line in `schemes.ts`. */

/** The fields of a channel that say how its requests are signed; each scheme uses some of them. */
export type SignatureFields = {
  secret?: string
  public_key?: string
  verify_token?: string
  header?: string
  prefix?: string
  encoding?: "hex" | "base64"
  timestamp_header?: string
  tolerance_s?: number
}

export type FieldProblem = { field: keyof SignatureFields; expected: string; got: string; hint?: string }

/**
 * What makes a delivery the same one as another: the scheme's own signed id, else the body together with the signed
 * timestamp, where that belongs to the message and not to the attempt.
 */
export type Delivery = { id: string } | { timestamp: string }

/** Holds the signature to the body as it came; undefined where it is wrong. */
export type CheckBody = (body: Uint8Array) => Delivery | undefined | Promise<Delivery | undefined>

export type SignatureScheme = {
  name: string
  /** One line for the reference. */
  summary: string
  /** What the fields lack. A channel with a problem does not start. */
  check(fields: SignatureFields): FieldProblem[]
  /**
   * Of fields without a problem. The answer looks at the headers alone: undefined where they cannot be those of a
   * request that this scheme lets in, so that a body is read for no stranger.
   */
  open(fields: SignatureFields): (headers: Headers, now_ms: number) => CheckBody | undefined
  /** For platforms that ask by GET whether the address is meant: what to answer, undefined for whom it is not. */
  challenge?(fields: SignatureFields, query: URLSearchParams): string | undefined
}

/** A captured or leaked request must not be worth anything after this long. */
export const tolerance_s_default = 300

const no_secret: FieldProblem = {
  field: "secret",
  expected: 'a secret, such as { env = "NAME" }',
  got: "nothing",
  hint: "without it anybody could write in the name of the platform",
}

/** What can be tried out in days by who has seen one signed request. */
const signing_chars_min = 8

/** For schemes in which a secret signs. */
export function checkSecret({ secret }: SignatureFields): FieldProblem[] {
  if (secret === undefined) return [no_secret]
  return secret === "" ? [] : checkLength(secret, signing_chars_min)
}

/** Of one that is there: an empty one was not resolved, which is a problem of its own. */
function checkLength(secret: string, chars_min: number): FieldProblem[] {
  if (secret.length >= chars_min) return []
  const hint = "whoever guesses it writes in the name of the platform"
  return [
    {
      field: "secret",
      expected: `at least ${chars_min} characters`,
      got: `${secret.length} characters`,
      hint,
    },
  ]
}

const shared_chars_min = 16

/** For schemes in which the secret itself is sent: it must be a header's text, and nothing but its length protects it. */
export function checkSharedSecret({ secret }: SignatureFields): FieldProblem[] {
  if (secret === undefined) return [no_secret]
  if (secret === "") return []
  const short = checkLength(secret, shared_chars_min)
  if (short.length > 0 || /^[\x21-\x7e]{1,512}$/.test(secret)) return short
  const got = `${secret.length} characters`
  return [{ field: "secret", expected: "at most 512 visible ASCII characters without a space", got }]
}

/** Takes the same time wherever the texts differ, and however long they are. */
export const isSame = (a: string | Uint8Array, b: string | Uint8Array): boolean =>
  crypto.timingSafeEqual(sha256(a), sha256(b))

const sha256 = (value: string | Uint8Array): Uint8Array =>
  new Bun.CryptoHasher("sha256").update(value).digest()

/** HMAC-SHA256 over the parts, one after the other. */
export function hmacOf(key: string | Uint8Array, ...parts: (string | Uint8Array)[]): Uint8Array {
  const hasher = new Bun.CryptoHasher("sha256", key)
  for (const part of parts) hasher.update(part)
  return hasher.digest()
}

/** Exactly `bytes` bytes in lower-case hex; undefined for any other text. */
export const fromHex = (text: string, bytes: number): Uint8Array | undefined =>
  text.length === 2 * bytes && /^[0-9a-f]*$/.test(text) ? Uint8Array.fromHex(text) : undefined

/** Standard base64 in its one canonical form; undefined for any other text. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, "base64")
  return bytes.toString("base64") === text ? bytes : undefined
}

/** Whether it is a time in seconds since 1970, in digits, and not further from now than allowed. */
export const isRecent = (timestamp: string, now_ms: number, tolerance_s = tolerance_s_default): boolean =>
  /^\d{1,12}$/.test(timestamp) && Math.abs(now_ms / 1000 - Number(timestamp)) <= tolerance_s
