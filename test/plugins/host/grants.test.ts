import { expect, test } from "bun:test"
import {
  findFolderGrant,
  findStoreGrant,
  hostTargets,
  isPlaceGranted,
  isSecretGranted,
  isUrlGranted,
  isWishMet,
  resolveGrants,
} from "../../../src/plugins/host/grants.ts"
import { toGrants } from "../guest.ts"

test.each([
  ["http:a.test", "https://a.test/", true],
  ["http:a.test", "https://A.test.:443/", true],
  ["http:a.test", "http://a.test:443/", false],
  ["http:a.test", "http://a.test/", false],
  ["http:a.test:80", "http://a.test/", true],
  ["http:a.test:443", "https://a.test/", true],
  ["http:a.test:8443", "https://a.test:8443/", true],
  ["http:a.test:8443", "https://a.test/", false],
  ["http:*.a.test", "https://b.a.test/", true],
  ["http:*.a.test", "https://a.test/", false],
  ["http:*.a.test", "https://.a.test/", false],
  ["http:*.a.test", "https://ba.test/", false],
  ["http:*.a.test", "https://b.a.test.evil.test/", false],
  ["http:*.a.test", "https://*.a.test/", false],
  ["http:*.a.test", "https://b.%2a.a.test/", false],
  ["http:*.1", "https://127.0.0.1/", false],
  ["http:*.1", "https://[::1]/", false],
  ["http:127.0.0.1", "https://127.1/", true],
  ["http:0x7f.1", "https://127.0.0.1/", false],
  ["http:a.test:443", "wss://a.test/", false],
  ["http:a.test:21", "ftp://a.test/", false],
  ["secret:A", "https://a.test/", false],
])("%s covers %s: %p", (grant, url, expected) => {
  expect(isUrlGranted(toGrants([grant]), new URL(url))).toBe(expected)
})

test.each([
  ["http:LOCALHOST:80", "localhost", 80, true],
  ["http:localhost:80", "localhost", 81, false],
  ["http:localhost", "localhost", 443, false],
  ["http:localhost", "localhost", 80, false],
  ["http:*.localhost:80", "a.localhost", 80, false],
  // An address may have a "*" in it.
  ["http:*.localhost:80", new URL("http://*.localhost").hostname, 80, false],
])("%s names the very place %s:%d: %p", (grant, host, port, expected) => {
  expect(isPlaceGranted(toGrants([grant]), host, port)).toBe(expected)
})

test.each([
  ["secret:A", "https://a.test/", true],
  ["secret:A", "http://b.test:1/", true],
  ["secret:B", "https://a.test/", false],
  ["secret:A@a.test", "https://a.test/", true],
  ["secret:A@a.test", "https://A.test.:443/", true],
  ["secret:A@a.test", "http://a.test/", false],
  ["secret:A@a.test", "https://a.test:8443/", false],
  ["secret:A@a.test", "https://b.a.test/", false],
  ["secret:A@a.test", "https://b.test/", false],
  ["secret:A@a.test", "https://a.test.evil.test/", false],
  ["secret:A@a.test:80", "http://a.test/", true],
  ["secret:A@a.test:8443", "https://a.test:8443/", true],
  ["secret:A@*.a.test", "https://b.a.test/", true],
  ["secret:A@*.a.test", "https://a.test/", false],
  ["secret:B@a.test", "https://a.test/", false],
  ["http:a.test", "https://a.test/", false],
])("%s may go to %s: %p", (grant, url, expected) => {
  expect(isSecretGranted(toGrants([grant]), "A", new URL(url))).toBe(expected)
})

test("grants of one secret for several hosts add up", () => {
  const granted = toGrants(["secret:A@a.test", "secret:A@b.test", "secret:B@c.test"])
  const hosts = ["a", "b", "c"].map((name) => new URL(`https://${name}.test/`))
  expect(hosts.map((url) => isSecretGranted(granted, "A", url))).toEqual([true, true, false])
  expect(hosts.map((url) => isSecretGranted(granted, "B", url))).toEqual([false, false, true])
})

test.each([
  [
    ["secret:A", "secret:A@a.test"],
    ["A", "A", "A"],
  ],
  [["secret:A@a.test"], ["A", undefined, undefined]],
  [
    ["secret:A@*.test", "secret:B@b.a.test"],
    ["A", "A, B to b.a.test alone", undefined],
  ],
  [
    ["secret:A@b.a.test", "secret:A@c.a.test"],
    [undefined, "A to b.a.test and c.a.test alone", undefined],
  ],
  [
    ["secret:A@a.test:8443", "secret:B@a.test:443"],
    ["B", undefined, "A"],
  ],
] as const)("people are told which secrets may go where: %p", (granted, expected) => {
  const hosts = ["http:a.test", "http:*.a.test", "http:a.test:8443"]
  const targets = hostTargets(toGrants([...hosts, ...granted]), ({ host, port }) => ({
    ...({ effect: "network", kind: "host" } as const),
    text: `${host}:${port}`,
  }))
  const told = targets.map(({ note }) => note?.match(/may be sent the secrets (.*)/)?.[1])
  expect(told).toEqual([...expected])
})

test.each([
  ["secret:A", ["secret:A"], true],
  ["secret:A", ["secret:A@a.test"], true],
  ["secret:A@a.test", ["secret:A"], true],
  ["secret:A@a.test", ["secret:A@*.test"], true],
  ["secret:A@a.test", ["secret:A@a.test:443"], true],
  ["secret:A@a.test", ["secret:A@b.test"], false],
  ["secret:A", ["secret:B", "secret:AB@a.test"], false],
  ["env:A", ["env:A"], true],
  ["env:A", ["env:B"], false],
] as const)("the wish %s is met by %p: %p", (wish, granted, expected) => {
  expect(isWishMet(wish, granted)).toBe(expected)
})

test("of two grants for one store the narrower counts, of two for one folder the wider", () => {
  const stores = toGrants(["store:a:agent", "store:a"])
  expect(findStoreGrant(stores, "a")).toMatchObject({ shared: false })
  expect(findStoreGrant(stores, "A")).toBeUndefined()
  const folders = toGrants(["fs:data:ro", "fs:data:rw"], "/srv")
  expect(findFolderGrant(folders, "data")).toEqual({
    type: "fs",
    path: "/srv/data",
    name: "data",
    writable: true,
  })
  expect(findFolderGrant(folders, "/srv/data")).toBeUndefined()
  expect(resolveGrants(folders, "/other")).toEqual(folders)
})
