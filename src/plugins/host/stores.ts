/** What a plugin keeps: its own, and for whom it was called only. */
import { type TSchema, Type } from "@sinclair/typebox"
import { getValue, listKeys, putValue, removeValue, type StoreId } from "../../store/plugin-values.ts"
import { findStoreGrant } from "./grants.ts"
import {
  argumentParser,
  type HostFunction,
  type HostMeans,
  HostRefused,
  nothing,
  toAnswer,
} from "./refused.ts"

const key_bytes_max = 512
const value_bytes_max = 262_144
const keys_max = 1000
const limits = { store_bytes_max: 4 << 20, plugin_bytes_max: 64 << 20 }

const exact = <P extends Record<string, TSchema>>(fields: P) =>
  argumentParser(Type.Object({ store: Type.String(), ...fields }, { additionalProperties: false }))

const parseGet = exact({ key: Type.String({ minLength: 1 }) })
const parsePut = exact({
  key: Type.String({ minLength: 1 }),
  value: Type.Union([Type.String(), Type.Null()]),
})
const parseList = exact({ prefix: Type.String({ default: "" }), after: Type.String({ default: "" }) })

export const storeGet =
  (means: HostMeans): HostFunction =>
  (argument) => {
    const { store, key } = parseGet(argument)
    const value = getValue(means.store.db, idOf(means, store), toKey(key))
    if (value === undefined) throw new HostRefused("not_found", "there is no such key")
    return value
  }

export const storePut =
  (means: HostMeans): HostFunction =>
  async (argument) => {
    const { plugin, store: db, now_ms, signal } = means
    const { store, key, value } = parsePut(argument)
    const id = idOf(means, store)
    toKey(key)
    if (value === null) {
      await db.commit((db) => signal.aborted || removeValue(db, id, key))
      return nothing
    }
    const bytes = Buffer.from(value)
    if (!value.isWellFormed()) throw new HostRefused("invalid", "the value is no well-formed text")
    if (bytes.length > value_bytes_max) {
      throw new HostRefused("too_large", `a value has at most ${value_bytes_max} bytes`)
    }
    const now = now_ms()
    // A call that is over by then has no effect any more: its session may have been deleted.
    const is_put = await db.commit((db) => signal.aborted || putValue(db, id, key, bytes, limits, now))
    if (is_put) return nothing
    const { store_bytes_max, plugin_bytes_max } = limits
    throw new HostRefused(
      "too_large",
      `the store would hold more than ${store_bytes_max} bytes, or all of ${plugin} more than ${plugin_bytes_max}`,
    )
  }

export const storeList =
  (means: HostMeans): HostFunction =>
  (argument) => {
    const { store, prefix, after } = parseList(argument)
    const filter = { prefix: toKey(prefix), after: toKey(after), limit: keys_max }
    return toAnswer(listKeys(means.store.db, idOf(means, store), filter), means.output_bytes_max)
  }

/** Throws HostRefused where the store was not granted, or would be everybody's. */
function idOf({ capabilities, plugin, agent, session_key }: HostMeans, store: string): StoreId {
  const grant = findStoreGrant(capabilities, store)
  if (!grant) throw new HostRefused("denied", "no grant covers that store")
  if (agent === undefined) return { plugin, scope: "", store }
  if (grant.shared) return { plugin, scope: `agent:${agent}`, store }
  // One scope for all calls without a session would show each caller what the others kept.
  if (session_key === "")
    throw new HostRefused("denied", "the store is kept for each session, and there is none")
  return { plugin, scope: session_key, store }
}

/** The database compares text up to a zero byte, and makes the same of all that is not well-formed. */
function toKey(key: string): string {
  if (key.includes("\0") || !key.isWellFormed()) {
    throw new HostRefused("invalid", "a key is well-formed text without zero bytes")
  }
  if (Buffer.byteLength(key) > key_bytes_max) {
    throw new HostRefused("too_large", `a key has at most ${key_bytes_max} bytes`)
  }
  return key
}
