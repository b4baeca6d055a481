import { expect, test } from "bun:test"
import { parseCapability } from "../../src/config/capability.ts"
import { nearest } from "../../src/config/nearest.ts"

const keys = ["bind", "port", "payload_bytes_max", "hosts", "origins"]

test.each([
  ["prot", "port"],
  ["Port", "port"],
  ["payload_byte_max", "payload_bytes_max"],
  ["payload_bytes", "payload_bytes_max"],
  ["host", "hosts"],
  ["orgins", "origins"],
  ["zebra_crossing", undefined],
])("%s is nearest to %s", (text, expected) => {
  expect(nearest(text, keys)).toBe(expected)
})

test.each([
  ["http:api.example.com", { type: "http", host: "api.example.com" }],
  ["http:*.Example.com:8443", { type: "http", host: "*.example.com:8443" }],
  ["http:a:65535", { type: "http", host: "a:65535" }],
  ["store:notes:agent", { type: "store", name: "notes", shared: true }],
  ["secret:GITHUB", { type: "secret", name: "GITHUB" }],
  ["secret:GITHUB@API.github.com", { type: "secret", name: "GITHUB", host: "api.github.com" }],
  ["secret:A@*.example.com:8443", { type: "secret", name: "A", host: "*.example.com:8443" }],
  ["store:notes", { type: "store", name: "notes", shared: false }],
  ["env:LANG", { type: "env", name: "LANG" }],
  ["fs:/srv/a:b:ro", { type: "fs", path: "/srv/a:b", writable: false }],
  ["fs:data:rw", { type: "fs", path: "data", writable: true }],
] as const)("%s is a capability", (text, expected) => {
  expect(parseCapability(text)).toEqual(expected)
})

test.each([
  "",
  ":",
  "http",
  "http:",
  ":x",
  "http:*",
  "secret:@a.test",
  "secret:A@",
  "secret:A@*",
  "secret:A@a.test@b.test",
  "secret:A@a.test:0",
  "secret:A@a.test:70000",
  "secret:A@https://a.test",
  "http:a/b",
  "http:a..b",
  "http:*.*.b",
  "http:user@host",
  "http:a:0",
  "http:a:080",
  "http:a:65536",
  "store:",
  "store:a/b",
  "env:",
  "env:A B",
  "fs:/x",
  "fs:/x:",
  "fs::ro",
  "fs:/x:wr",
  "host_function:f",
  "HTTP:x",
  "net:x",
  " http:x",
])("%p is no capability", (text) => {
  expect(parseCapability(text)).toBeUndefined()
})
