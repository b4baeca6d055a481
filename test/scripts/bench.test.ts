import { expect, test } from "bun:test"
import { join } from "node:path"
import targets from "../../bench/targets.json" with { type: "json" }

const root = join(import.meta.dir, "../..")

test("a figure that there is not is refused with the names of those that there are", () => {
  const child = Bun.spawnSync([process.execPath, "scripts/bench.ts", "--only", "nope"], { cwd: root })
  const error = child.stderr.toString().trimEnd()
  expect(child.exitCode).toBe(2)
  expect(error).toBe(
    'error: no figure "nope"; one of version, size, first_reply, idle_memory, ping, turn, turns, sockets, route, hello, tools, exec, search, web_fetch, plugins, webhook, kernel, micro, collections, memory_insert, memory_context, memory_turn, conversations, retrieval, openclaw, usearch, hnswlib, million',
  )
})

test.each(Object.entries(targets))("the target of %s is one bound on its value or its ratio", (_, target) => {
  const { of, ...bounds } = target
  expect(["value", "ratio"]).toContain(of)
  expect(Object.keys(bounds)).toHaveLength(1)
})
