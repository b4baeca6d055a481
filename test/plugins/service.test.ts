/** What is in service, and what becomes of it when files, the configuration and operators change their minds. */
import { expect, test } from "bun:test"
import { openHouse } from "./house.ts"
import { describes, looping, make } from "./made.ts"

const manifest = (more = "") => `name = "echo"\nversion = "1.0.0"\nkind = "tool"\n${more}`

test("what the configuration names is approved at first sight, and its tool can be called", async () => {
  await using house = await openHouse()
  house.write("echo", make(), manifest('capabilities = ["http:api.example.com"]'))
  await using started = await house.start([house.config("echo", { capabilities: ["store:notes"] })])
  const { sha256, manifest_sha256, approved_ms, path, ...info } = started.info("echo")
  expect(info).toEqual({
    name: "echo",
    state: "ready",
    version: "1.0.0",
    kind: "tool",
    engine: "reactor",
    asks: ["http:api.example.com"],
    granted: ["store:notes"],
    tools: ["echo"],
    approved_by: "the configuration",
  })
  expect([sha256?.length, manifest_sha256?.length]).toEqual([64, 64])
  expect(approved_ms).toBeGreaterThan(0)
  expect(await started.call("echo")).toBe("one")
  expect(started.calls).toEqual(["echo ok"])
})
