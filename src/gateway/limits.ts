/** Bounds of a connection that no configuration changes. Whoever starts a gateway may set others, as tests do. */
export const limits = {
  /** How long a socket may take to present a token. */
  connect_ms: 5000,
  /** Past this many unsent bytes a reader is slow: its streams pause and text is merged. */
  slow_bytes: 1_048_576,
  /** Past this many bytes behind, or this long, it is told to go. */
  behind_bytes: 8_388_608,
  behind_ms: 30_000,
  /** At the end, answers that are on their way have so long to get out. */
  farewell_ms: 1000,
  /** How long the body of a webhook may take, which is read before it is known whose it is. */
  body_ms: 10_000,
}

export type Limits = typeof limits
