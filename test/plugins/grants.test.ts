import { expect, test } from "bun:test"
import {
  findFolderGrant,
  findStoreGrant,
  isPlaceGranted,
  isUrlGranted,
  resolveGrants,
} from "../../src/plugins/grants.ts"
import { toGrants } from "./guest.ts"

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
