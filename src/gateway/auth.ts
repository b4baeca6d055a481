import ipaddr from "ipaddr.js"
import { AppError } from "../base/errors.ts"
import type { Store } from "../store/open.ts"
import {
  addToken,
  listAuthFailures,
  listTokens,
  putAuthFailures,
  revokeToken,
  type TokenRow,
  touchToken,
} from "../store/tokens.ts"

/** What a token may do, in the order in which a client is told. */
export const scopes = ["read", "chat", "approve", "admin"] as const
export type Scope = (typeof scopes)[number]

/** What each one contains. Whoever chats is not thereby somebody who may let his agent act. */
const contained: Record<Scope, readonly Scope[]> = {
  read: ["read"],
  chat: ["read", "chat"],
  approve: ["approve"],
  admin: scopes,
}

/** Who speaks: what a token gives, and nothing that the client says of itself. */
export type Caller = {
  token_id: string
  name: string
  /** All that it may do, with what is contained in what it was given. */
  scopes: readonly Scope[]
  /** The agents it reaches; null for all. */
  agents: readonly string[] | null
  expires_ms: number | null
}

export type NewToken = {
  name: string
  scopes: readonly Scope[]
  agents: string[] | null
  expires_ms: number | null
}

export type Auth = {
  /** Throws unauthorized, or rate_limited where the address has failed too often; then nothing is compared. */
  authenticate(token: string, address: string): Caller
  /** The text of the token is in the answer and nowhere else. */
  create(token: NewToken): Promise<{ token: string; row: TokenRow }>
  /**
   * Takes a token that was made elsewhere (the home's file, the environment) as an operator's, and revokes the one that
   * had its name before. Answers false for a revoked one, which stays so.
   */
  adopt(token: string, name: string): Promise<boolean>
  list(): TokenRow[]
  revoke(id: string): Promise<TokenRow>
  /** A code that stands for the right to a token like the caller's, once, for a minute. */
  createCode(caller: Caller): { code: string; expires_ms: number }
  exchange(code: string, address: string): Promise<string>
}

export const holds = ({ scopes }: Pick<Caller, "scopes">, asked: Scope): boolean => scopes.includes(asked)

/** All that is contained in what was given. A word that this version does not know gives nothing. */
const expand = (given: readonly string[]): Scope[] =>
  scopes.filter((scope) =>
    given.some((one) => Object.hasOwn(contained, one) && contained[one as Scope].includes(scope)),
  )

/** The same without what is contained in another one, as it is stored and shown: "admin", "chat approve". */
const shortest = (given: readonly Scope[]): Scope[] =>
  expand(given).filter((scope) => !given.some((other) => other !== scope && contained[other].includes(scope)))

export const reaches = ({ agents }: Pick<Caller, "agents">, agent: string): boolean =>
  agents === null || agents.includes(agent)

/** Whether the token's time is up. */
export const isOver = ({ expires_ms }: Pick<Caller, "expires_ms">, now_ms: number): boolean =>
  expires_ms !== null && expires_ms <= now_ms

const failures_max = 10
const failure_window_ms = 60_000
/** Addresses that are remembered; beyond it the longest quiet one is forgotten. */
const addresses_max = 100_000
const touch_every_ms = 60_000
const code_ms = 60_000
const exchanged_ms = 30 * 24 * 3_600_000

export function openAuth(store: Store, now_ms: () => number, onRevoke: (token_id: string) => void): Auth {
  const tokens = new Map(listTokens(store.db).map((row) => [keyOf(row.hash), row]))
  const failures = new Map(
    listAuthFailures(store.db, now_ms() - failure_window_ms).map((row) => [row.address, row.failed_ms]),
  )
  /** Whether who made a code could still make one; in a gateway without tokens everybody can. */
  const stillHolds = ({ token_id }: Caller) => {
    const row = [...tokens.values()].find(({ id }) => id === token_id)
    return token_id === "" || (row !== undefined && isAlive(row, now_ms()))
  }
  const codes = new Map<string, { caller: Caller; expires_ms: number }>()

  /** One list for all sockets of tokens that may do the same. */
  const known_scopes = new Map<string, readonly Scope[]>()
  const scopesOf = (text: string) => {
    const known = known_scopes.get(text) ?? expand(text.split(" "))
    known_scopes.set(text, known)
    return known
  }

  /** Throws where the address may not try again yet. */
  const admit = (address: string) => {
    const now = now_ms()
    // What is yet to come was seen before the clock was set back; it would shut the address out for as long as that.
    const isRecent = (at_ms: number) => at_ms > now - failure_window_ms && at_ms <= now
    const recent = (failures.get(address) ?? []).filter(isRecent)
    if (recent.length < failures_max) return recent
    throw new AppError("rate_limited", { retry_after_ms: recent[0]! + failure_window_ms - now })
  }
  const refuse = (address: string, recent: number[]): never => {
    const failed_ms = [...recent, now_ms()]
    // Moved to the end, so that the first one is always the one that has been quiet longest.
    failures.delete(address)
    failures.set(address, failed_ms)
    if (failures.size > addresses_max) failures.delete(failures.keys().next().value!)
    store.commit((db) => putAuthFailures(db, { address, failed_ms })).catch(ignoreStorage)
    throw new AppError("unauthorized")
  }
  const add = async (token: string, { name, scopes, agents, expires_ms }: NewToken) => {
    const row: TokenRow = {
      id: Bun.randomUUIDv7(),
      hash: hashOf(token),
      name,
      scopes: shortest(scopes).join(" "),
      agents,
      created_ms: now_ms(),
      expires_ms,
      last_used_ms: null,
      revoked_ms: null,
    }
    await store.commit((db) => addToken(db, row))
    tokens.set(keyOf(row.hash), row)
    return { token, row }
  }

  const revoke = async (row: TokenRow) => {
    await store.commit((db) => revokeToken(db, row.id, now_ms()))
    row.revoked_ms ??= now_ms()
    onRevoke(row.id)
    return row
  }

  return {
    authenticate(token, from) {
      const address = toPeer(from)
      const recent = admit(address)
      const hash = hashOf(token)
      const row = tokens.get(keyOf(hash))
      const valid = row && crypto.timingSafeEqual(row.hash, hash) && isAlive(row, now_ms())
      if (!valid) return refuse(address, recent)
      const { id, name, agents, expires_ms } = row
      if (now_ms() - (row.last_used_ms ?? 0) > touch_every_ms) {
        row.last_used_ms = now_ms()
        store.commit((db) => touchToken(db, id, row.last_used_ms!)).catch(ignoreStorage)
      }
      return { token_id: id, name, scopes: scopesOf(row.scopes), agents, expires_ms }
    },
    create: (token) => add(newToken(), token),
    async adopt(token, name) {
      const known = tokens.get(keyOf(hashOf(token)))
      if (known && !isAlive(known, now_ms())) return false
      for (const row of [...tokens.values()]) {
        if (row.name === name && row !== known && row.revoked_ms === null) await revoke(row)
      }
      if (!known) await add(token, { name, scopes: ["admin"], agents: null, expires_ms: null })
      return true
    },
    list: () => [...tokens.values()],
    async revoke(id) {
      const row = [...tokens.values()].find((one) => one.id === id)
      if (!row) throw new AppError("not_found", { what: "token", id })
      return revoke(row)
    },
    createCode(caller) {
      for (const [code, { expires_ms }] of codes) if (expires_ms <= now_ms()) codes.delete(code)
      const code = randomText(24)
      const expires_ms = now_ms() + code_ms
      codes.set(keyOf(hashOf(code)), { caller, expires_ms })
      return { code, expires_ms }
    },
    async exchange(code, from) {
      const address = toPeer(from)
      const recent = admit(address)
      const key = keyOf(hashOf(code))
      const found = codes.get(key)
      codes.delete(key)
      const valid = found && found.expires_ms > now_ms() && stillHolds(found.caller)
      if (!valid) return refuse(address, recent)
      const { name, scopes, agents, expires_ms } = found.caller
      const ends_ms = Math.min(expires_ms ?? Number.POSITIVE_INFINITY, now_ms() + exchanged_ms)
      const made = await add(newToken(), {
        name: `${name} (browser)`,
        scopes,
        agents: agents && [...agents],
        expires_ms: ends_ms,
      })
      return made.token
    },
  }
}

/** 256 bits, as 43 characters behind the prefix by which scanners of leaked secrets know it. */
export const newToken = (): string => `weft_${randomText(32)}`

const randomText = (bytes: number) =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64url")
const hashOf = (token: string): Uint8Array => new Bun.CryptoHasher("sha256").update(token).digest()
const keyOf = (hash: Uint8Array) => Buffer.from(hash).toString("base64")

const isAlive = (row: TokenRow, now_ms: number) => row.revoked_ms === null && !isOver(row, now_ms)

/**
 * Bookkeeping that a full or a damaged disk may lose: the limit itself holds in memory. Anybody can cause it to be
 * written, and what is thrown here ends the process.
 */
function ignoreStorage(thrown: unknown): void {
  const lost = thrown instanceof AppError && ["storage_failed", "store_damaged"].includes(thrown.code)
  if (!lost) throw thrown
}

/** One peer for the limits: an IPv4 address however it is written, or the /64 that an IPv6 host owns. */
export function toPeer(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === "ipv4") return parsed.toString()
  const half = parsed.toByteArray().slice(0, 8)
  return `${Buffer.from(half).toString("hex")}/64`
}
