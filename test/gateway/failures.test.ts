import { expect, test } from "bun:test"
import { openFailures } from "../../src/gateway/failures.ts"

function open() {
  const clock = { now_ms: 1_000_000 }
  const failures = openFailures({
    ...{ failures_max: 3, window_ms: 60_000, addresses_max: 4 },
    now_ms: () => clock.now_ms,
  })
  const fail = (address: string, times = 3) => {
    for (let n = 0; n < times; n++) failures.note(address)
  }
  return { clock, failures, fail }
}

test("an address that failed too often waits for the rest of its time, and others do not", () => {
  const { clock, failures, fail } = open()
  fail("192.0.2.1", 2)
  expect(failures.wait_ms("192.0.2.1")).toBe(0)
  clock.now_ms += 10_000
  fail("192.0.2.1", 1)
  expect(failures.wait_ms("192.0.2.1")).toBe(50_000)
  expect(failures.wait_ms("192.0.2.2")).toBe(0)
  clock.now_ms += 50_000
  expect(failures.wait_ms("192.0.2.1")).toBe(0)
  fail("192.0.2.1", 2)
  expect(failures.wait_ms("192.0.2.1")).toBe(0)
})

test("an address is one however it is written, and an IPv6 host owns its whole half", () => {
  const { failures, fail } = open()
  fail("::ffff:192.0.2.1")
  expect(failures.wait_ms("192.0.2.1")).toBeGreaterThan(0)
  fail("2001:db8::1", 2)
  fail("2001:db8::ffff:1", 1)
  expect(failures.wait_ms("2001:db8::2")).toBeGreaterThan(0)
  expect(failures.wait_ms("2001:db8:0:1::2")).toBe(0)
})

test("no more addresses are kept than there may be, and a clock that is set back shuts nobody out", () => {
  const { clock, failures, fail } = open()
  for (let n = 1; n <= 5; n++) fail(`192.0.2.${n}`)
  expect([1, 2, 5].map((n) => failures.wait_ms(`192.0.2.${n}`) > 0)).toEqual([false, true, true])
  clock.now_ms -= 3_600_000
  expect(failures.wait_ms("192.0.2.5")).toBe(0)
})
