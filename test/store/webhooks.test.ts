import { expect, test } from "bun:test"
import { parser } from "../../src/base/schema.ts"
import { retentionSection } from "../../src/store/config.ts"
import { openStore } from "../../src/store/open.ts"
import { delivery_ms, purge } from "../../src/store/retention.ts"
import {
  deliveryBody,
  findDelivery,
  finishDelivery,
  listUnfinishedDeliveries,
  putDelivery,
} from "../../src/store/webhooks.ts"

const row = (hash: string, more: object = {}) => ({
  ...{ channel: "mock", hash, turn_id: null, body: null, created_ms: 1000 },
  ...more,
})

test("a delivery is found by channel and hash until its day is over", async () => {
  await using store = openStore(":memory:")
  await store.commit((db) => putDelivery(db, row("a", { turn_id: "t" })))
  const key = { channel: "mock", hash: "a" }
  expect(findDelivery(store.db, key, 1000)).toEqual({ is_done: 0, turn_id: "t" })
  expect(findDelivery(store.db, key, 1001)).toBeUndefined()
  expect(findDelivery(store.db, { channel: "other", hash: "a" }, 0)).toBeUndefined()
  await store.commit((db) => finishDelivery(db, key))
  expect(findDelivery(store.db, key, 1000)).toEqual({ is_done: 1, turn_id: "t" })
  const retention = parser(retentionSection.schema)({})
  await store.commit((db) => purge(db, retention, 1000 + delivery_ms))
  expect(findDelivery(store.db, key, 0)).toBeDefined()
  await store.commit((db) => purge(db, retention, 1001 + delivery_ms))
  expect(findDelivery(store.db, key, 0)).toBeUndefined()
})

test("only what was acknowledged and is not done is unfinished, oldest first; its body goes with its end", async () => {
  await using store = openStore(":memory:")
  const body = new Uint8Array([1, 0, 255])
  await store.commit((db) => {
    putDelivery(db, row("late", { body, created_ms: 3000 }))
    putDelivery(db, row("early", { body, turn_id: "t" }))
    putDelivery(db, row("waiting"))
    putDelivery(db, row("done", { body }))
    finishDelivery(db, { channel: "mock", hash: "done" })
  })
  expect(listUnfinishedDeliveries(store.db)).toEqual([
    { channel: "mock", hash: "early", turn_id: "t", attempts: 1 },
    { channel: "mock", hash: "late", turn_id: null, attempts: 1 },
  ])
  expect(deliveryBody(store.db, { channel: "mock", hash: "early" })).toEqual(body)
  expect(deliveryBody(store.db, { channel: "mock", hash: "done" })).toBeUndefined()
  expect(deliveryBody(store.db, { channel: "mock", hash: "none" })).toBeUndefined()
})

test("what was acknowledged and cut off counts its attempts; what begins anew has none", async () => {
  await using store = openStore(":memory:")
  const put = (body: Uint8Array | null) =>
    store.commit((db) => {
      putDelivery(db, row("a", { body }))
      return (db.query("SELECT attempts FROM webhook_delivery").get() as { attempts: number }).attempts
    })
  const body = new Uint8Array([1])
  expect([await put(null), await put(null), await put(body), await put(body), await put(body)]).toEqual([
    1, 1, 1, 2, 3,
  ])
  await store.commit((db) => finishDelivery(db, { channel: "mock", hash: "a" }))
  expect(await put(body)).toBe(1)
})
