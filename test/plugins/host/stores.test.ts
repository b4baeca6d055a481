import { expect, test } from "bun:test"
import { openStore } from "../../../src/store/open.ts"
import { openGuest } from "../guest.ts"

const put = (key: string, value: string | null, store = "kept") => ({ store, key, value })
const get = (key: string, store = "kept") => ({ store, key })

test("what was put is there at once, until it is deleted", async () => {
  const guest = openGuest({ grants: ["store:kept"] })
  expect(await guest.call("store_get", get("a"))).toBe("error not_found")
  expect(await guest.call("store_put", put("a", "one ä"))).toBe("")
  expect(await guest.call("store_get", get("a"))).toBe("one ä")
  await guest.call("store_put", put("a/b", ""))
  await guest.call("store_put", put("b", "x"))
  expect(await guest.call("store_list", { store: "kept" })).toBe('["a","a/b","b"]')
  expect(await guest.call("store_list", { store: "kept", prefix: "a", after: "a" })).toBe('["a/b"]')
  expect(await guest.call("store_put", put("a", null))).toBe("")
  expect(await guest.call("store_get", get("a"))).toBe("error not_found")
  expect(guest.lines).toEqual([])
})

/** Who else there is beside the plugin "notes" of the agent "default" in its session "main", with the same grants. */
const others = [
  { plugin: "Notes" },
  { plugin: "other" },
  { session_key: "default:ws:default:other" },
  { session_key: "work:ws:default:main", agent: "work" },
  { session_key: "default:ws:default:mai" },
  { session_key: "agent:default" },
  { session_key: "" },
  { agent: undefined, session_key: "" },
]

test.each(others)("nobody else reads, changes or sees what is kept for a session: %j", async (other) => {
  await using store = openStore(":memory:")
  const grants = ["store:kept"]
  const own = openGuest({ grants, store })
  await own.call("store_put", put("secret", "mine"))
  const guest = openGuest({ grants, store, ...other })
  expect(await guest.call("store_get", get("secret"))).toMatch(/^error (not_found|denied)$/)
  await guest.call("store_put", put("secret", "theirs"))
  await guest.call("store_put", put("secret", null))
  expect(await own.call("store_get", get("secret"))).toBe("mine")
})

test.each([
  [{ session_key: "default:ws:default:other" }, "ours"],
  [{ session_key: "" }, "ours"],
  [{ plugin: "other" }, "error not_found"],
  [{ session_key: "work:ws:default:main", agent: "work" }, "error not_found"],
  [{ agent: "Default" }, "error not_found"],
  [{ agent: undefined, session_key: "" }, "error not_found"],
])("what is kept for an agent is for its sessions only: %j", async (other, expected) => {
  await using store = openStore(":memory:")
  const grants = ["store:common:agent"]
  await openGuest({ grants, store }).call("store_put", put("secret", "ours", "common"))
  const guest = openGuest({ grants, store, ...other })
  expect(await guest.call("store_get", get("secret", "common"))).toBe(expected)
})

test.each(["Kept", "kept ", "kept\0", "ｋept", "kept:agent", "", "*", "../kept", "other"])(
  "a store that was not granted does not open: %j",
  async (store) => {
    const guest = openGuest({ grants: ["store:kept", "secret:X", "fs:kept:rw"] })
    for (const [name, argument] of [
      ["store_get", { store, key: "a" }],
      ["store_put", { store, key: "a", value: "b" }],
      ["store_list", { store }],
    ] as const) {
      expect(await guest.call(name, argument)).toBe("error denied")
    }
    expect(guest.store.db.query("SELECT count(*) AS n FROM plugin_value").get()).toEqual({ n: 0 })
  },
)

test("without a session there is nothing to keep for each session, but for the agent there is", async () => {
  const guest = openGuest({ grants: ["store:kept", "store:common:agent"], session_key: "" })
  expect(await guest.call("store_put", put("a", "b"))).toBe("error denied")
  expect(await guest.call("store_put", put("a", "b", "common"))).toBe("")
})

test("keys and values have bounds, and so has what a plugin holds", async () => {
  const guest = openGuest({ grants: ["store:kept"] })
  expect(await guest.call("store_put", put("k".repeat(512), "v"))).toBe("")
  expect(await guest.call("store_put", put("k".repeat(513), "v"))).toBe("error too_large")
  expect(await guest.call("store_put", put("ä".repeat(257), "v"))).toBe("error too_large")
  for (const key of ["", "a\0b", "\ud800"]) {
    expect(await guest.call("store_put", put(key, "v"))).toBe("error invalid")
  }
  expect(await guest.call("store_put", put("a", "\udfff"))).toBe("error invalid")
  const full = "v".repeat(262_144)
  expect(await guest.call("store_put", put("a", `${full}v`))).toBe("error too_large")
  for (let i = 0; i < 15; i++) expect(await guest.call("store_put", put(`${i}`, full))).toBe("")
  expect(await guest.call("store_put", put("last", full))).toBe("error too_large")
  expect(await guest.call("store_put", put("0", "small"))).toBe("")
  expect(await guest.call("store_put", put("last", full))).toBe("")
})

test("a thousand keys are listed at a time", async () => {
  const guest = openGuest({ grants: ["store:kept"] })
  await Promise.all(
    Array.from({ length: 1003 }, (_, i) => guest.call("store_put", put(`${i}`.padStart(4, "0"), ""))),
  )
  const first = JSON.parse(await guest.call("store_list", { store: "kept" })) as string[]
  expect(first.length).toBe(1000)
  const rest = await guest.call("store_list", { store: "kept", after: first.at(-1) })
  expect(rest).toBe('["1000","1001","1002"]')
})

test("what waits to be written when its call ends is not written: its session may be deleted by then", async () => {
  const ending = new AbortController()
  const guest = openGuest({ grants: ["store:kept"], signal: ending.signal })
  await guest.call("store_put", put("old", "v"))
  const waiting = [guest.call("store_put", put("new", "v")), guest.call("store_put", put("old", null))]
  ending.abort(new Error("over"))
  expect(await Promise.all(waiting)).toEqual(["error failed", "error failed"])
  expect(guest.store.db.query("SELECT key FROM plugin_value").all()).toEqual([{ key: "old" }])
})

test("two calls that fill a store at once stay within its bounds together", async () => {
  await using store = openStore(":memory:")
  const full = "v".repeat(262_144)
  const calls = [1, 2].map((n) => ({ n, guest: openGuest({ grants: ["store:kept"], store }) }))
  const said = await Promise.all(
    calls.flatMap(({ n, guest }) =>
      Array.from({ length: 12 }, (_, i) => guest.call("store_put", put(`${n} ${i}`, full))),
    ),
  )
  expect(said.filter((one) => one === "").length).toBe(15)
  const { held, counted } = store.db
    .query(
      `SELECT (SELECT sum(length(value) + length(key) + 64) FROM plugin_value) AS held,
         (SELECT bytes FROM plugin_store WHERE store = 'kept') AS counted`,
    )
    .get() as { held: number; counted: number }
  expect(counted).toBe(held)
})
