import { expect, test } from "bun:test"
import { default_limits } from "../../../src/plugins/description/manifest.ts"
import type { InService } from "../../../src/plugins/service/look.ts"
import { toTools } from "../../../src/plugins/service/tool.ts"

const service = (count: number, schema_bytes: number): InService => ({
  module: {
    ...{ plugin: "many", engine: "reactor", sha256: "11", limits: default_limits },
    read: () => Promise.reject(new Error("nothing is run here")),
  },
  described: {
    kind: "tool",
    tools: Array.from({ length: count }, (_, i) => ({
      name: `t${i}`,
      description: "What it does.",
      input_schema: { type: "object", title: "x".repeat(schema_bytes) },
    })),
  },
  ...{ manifest: undefined, manifest_sha256: "", approved_by: "anna", approved_ms: 1 },
})

test.each([
  [1, 100, undefined],
  [64, 100, undefined],
  [64, 1000, true],
  [1, 20_000, true],
] as const)(
  "%d tools with schemas of %d bytes: a model is told the names first: %p",
  (count, bytes, deferred) => {
    const tools = toTools("many", service(count, bytes), [], {
      run: () => Promise.reject(new Error("no call")),
    })
    expect(new Set(tools.map((tool) => tool.deferred))).toEqual(new Set([deferred]))
  },
)
