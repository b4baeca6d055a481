import { expect, test } from "bun:test"
import fc from "fast-check"
import { toSessionKey } from "../../src/base/session-key.ts"
import { openStore } from "../../src/store/open.ts"
import {
  getValue,
  listKeys,
  putValue,
  removeScope,
  removeValue,
  type StoreId,
  sizesOf,
} from "../../src/store/plugin-values.ts"
import { deleteSession, touchSession } from "../../src/store/sessions.ts"

const wide = { store_bytes_max: 1 << 30, plugin_bytes_max: 1 << 30 }
const names = fc.constantFrom("a", "b", "A")
const ids = fc.record({ plugin: names, scope: names, store: names })
const keys = fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }).filter((key) => !key.includes("\0"))

type Op = { id: StoreId; key: string; value: string | null }
const ops = fc.array(fc.record<Op>({ id: ids, key: keys, value: fc.option(fc.string({ maxLength: 20 })) }), {
  maxLength: 40,
})
const nameOf = ({ plugin, scope, store }: StoreId) => `${plugin}/${scope}/${store}`

test("each store is a map of its own, and is counted as what it holds", async () => {
  await fc.assert(
    fc.asyncProperty(ops, async (list) => {
      await using opened = openStore(":memory:")
      const { db } = opened
      const stores = new Map<string, Map<string, string>>()
      for (const { id, key, value } of list) {
        const model = stores.get(nameOf(id)) ?? new Map<string, string>()
        stores.set(nameOf(id), model)
        if (value === null) {
          removeValue(db, id, key)
          model.delete(key)
        } else {
          expect(putValue(db, id, key, Buffer.from(value), wide, 1)).toBe(true)
          model.set(key, value)
        }
      }
      for (const { id, key } of list) {
        const model = stores.get(nameOf(id))!
        const held = [...model].reduce(
          (sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(v) + 64,
          0,
        )
        expect(sizesOf(db, id).store_bytes).toBe(held)
        const value = getValue(db, id, key)
        expect(value && new TextDecoder().decode(value)).toBe(model.get(key))
        const sorted = [...model.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(listKeys(db, id, { prefix: "", after: "", limit: 99 })).toEqual(sorted)
        const [prefix] = [...key]
        const below = sorted.filter((one) => one.startsWith(prefix!))
        expect(listKeys(db, id, { prefix: prefix!, after: "", limit: 99 })).toEqual(below)
        const [first = ""] = below
        expect(listKeys(db, id, { prefix: prefix!, after: first, limit: 1 })).toEqual(below.slice(1, 2))
      }
    }),
    { numRuns: 60 },
  )
})

test("what a plugin holds in all is counted as what it holds, whatever goes", async () => {
  const gone = fc.record({ gone: fc.constantFrom("a", "b", "A") })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(ops, gone), { maxLength: 8 }), async (steps) => {
      await using opened = openStore(":memory:")
      const { db } = opened
      for (const step of steps) {
        if ("gone" in step) removeScope(db, step.gone)
        else {
          for (const { id, key, value } of step) {
            if (value === null) removeValue(db, id, key)
            else putValue(db, id, key, Buffer.from(value), wide, 1)
          }
        }
      }
      for (const plugin of ["a", "b", "A"]) {
        const { held } = db
          .query(
            `SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(value) + 64), 0) AS held
             FROM plugin_value WHERE plugin = ?`,
          )
          .get(plugin) as { held: number }
        expect(sizesOf(db, { plugin, scope: "a", store: "a" }).plugin_bytes).toBe(held)
      }
    }),
    { numRuns: 60 },
  )
})

test("what would be too much is not written, and what becomes less always is", async () => {
  await using opened = openStore(":memory:")
  const { db } = opened
  const id = { plugin: "p", scope: "s", store: "t" }
  const limits = { store_bytes_max: 200, plugin_bytes_max: 300 }
  const put = (one: StoreId, key: string, bytes: number) =>
    putValue(db, one, key, new Uint8Array(bytes), limits, 1)
  expect(put(id, "k", 135)).toBe(true)
  expect(sizesOf(db, id)).toEqual({ store_bytes: 200, plugin_bytes: 200 })
  expect(put(id, "k", 136)).toBe(false)
  expect(put(id, "l", 0)).toBe(false)
  expect(getValue(db, id, "k")?.length).toBe(135)
  expect(put({ ...id, scope: "other" }, "k", 35)).toBe(true)
  expect(put({ ...id, store: "third" }, "k", 0)).toBe(false)
  expect(put({ ...id, plugin: "q" }, "k", 100)).toBe(true)
  // A limit that has shrunk.
  expect(putValue(db, id, "k", new Uint8Array(100), { store_bytes_max: 1, plugin_bytes_max: 1 }, 1)).toBe(
    true,
  )
  removeValue(db, id, "k")
  removeValue(db, id, "k")
  expect(sizesOf(db, id)).toEqual({ store_bytes: 0, plugin_bytes: 100 })
})

test("a session's values go with it, and nobody else's", async () => {
  await using opened = openStore(":memory:")
  const { db } = opened
  const [one, other] = ["one", "other"].map((peer) => {
    const parts = { agent: "default", channel: "ws", account: "default", peer }
    return touchSession(db, toSessionKey(parts), parts, 1)
  })
  for (const plugin of ["p", "q"]) {
    for (const scope of [one!.key, other!.key, "agent:default", ""]) {
      putValue(db, { plugin, scope, store: "t" }, "k", Buffer.from("v"), wide, 1)
    }
  }
  await opened.commit((db) => deleteSession(db, one!))
  const left = db.query("SELECT DISTINCT scope FROM plugin_value ORDER BY scope").all()
  expect(left).toEqual([{ scope: "" }, { scope: "agent:default" }, { scope: other!.key }])
  expect(sizesOf(db, { plugin: "p", scope: one!.key, store: "t" })).toMatchObject({ store_bytes: 0 })
  removeScope(db, "nobody")
  expect(sizesOf(db, { plugin: "p", scope: other!.key, store: "t" }).store_bytes).toBe(66)
})
