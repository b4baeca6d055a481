import { expect, test } from "bun:test"
import { tools } from "../../src/registry.ts"
import { currentTime } from "../../src/tools/current-time.ts"
import { sessionSearch } from "../../src/tools/session-search.ts"
import type { ToolContext } from "../../src/tools/tool.ts"

const context = {
  agent: "default",
  session_key: "default:ws:default:main",
  signal: new AbortController().signal,
  now_ms: () => Date.UTC(2026, 1, 3, 4, 5, 6),
  searchSessions: () => [],
} as unknown as ToolContext

test.each(tools.map((tool) => [tool.name, tool] as const))(
  "%s says what it and its parameters are",
  (_name, tool) => {
    expect(tool.name).toMatch(/^[a-z0-9_]{1,64}$/)
    expect(tool.description).toEndWith(".")
    for (const field of Object.values(tool.params.properties)) expect(field).toHaveProperty("description")
    expect(tool.params.additionalProperties).toBe(false)
    expect(() => tool.parse({ no_such_field: 1 })).toThrow(
      expect.objectContaining({ code: "invalid_params" }),
    )
  },
)

test.each([
  [{}, "2026-02-03T04:05:06.000Z, which is Tuesday, 3 February 2026 at 04:05:06 UTC."],
  [
    { time_zone: "Asia/Tokyo" },
    "2026-02-03T04:05:06.000Z, which is Tuesday, 3 February 2026 at 13:05:06 GMT+9.",
  ],
])("current_time %p", (input, said) => {
  expect(currentTime.run(currentTime.parse(input), context) as string).toBe(said)
})

test("a time zone that there is not is named, with what would be one", () => {
  expect(() => currentTime.run({ time_zone: "Atlantis" }, context)).toThrow(
    'There is no time zone "Atlantis"; use an IANA name such as "Europe/Berlin".',
  )
})

test("session_search shows when, who and where, a line each", () => {
  const asked: unknown[] = []
  const hit = {
    session_key: "default:ws:default:main",
    role: "user",
    created_ms: Date.UTC(2026, 0, 1, 9, 30),
  }
  const searchSessions: ToolContext["searchSessions"] = (...words) => {
    asked.push(words)
    return [
      { ...hit, snippet: "a [red]\n  fox" },
      { ...hit, role: "assistant", snippet: "[red] it is" },
    ]
  }
  const said = sessionSearch.run(sessionSearch.parse({ query: "red" }), { ...context, searchSessions })
  expect(said).toBe(
    "2026-01-01T09:30 user in default:ws:default:main: a [red] fox\n" +
      "2026-01-01T09:30 assistant in default:ws:default:main: [red] it is",
  )
  expect(asked).toEqual([["red", 8]])
})

test("a search without a hit says how to go on", () => {
  const said = sessionSearch.run(sessionSearch.parse({ query: "red fox", limit: 3 }), context)
  expect(said).toBe('No message has all the words of "red fox". Try fewer or other words.')
})

test.each([{}, { query: "" }, { query: "x".repeat(501) }, { query: "a", limit: 51 }])(
  "session_search refuses %p",
  (input) =>
    expect(() => sessionSearch.parse(input)).toThrow(expect.objectContaining({ code: "invalid_params" })),
)
