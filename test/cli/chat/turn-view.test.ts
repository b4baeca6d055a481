import { expect, test } from "bun:test"
import fc from "fast-check"
import { openScreen } from "../../../src/cli/chat/screen.ts"
import { openTurnView } from "../../../src/cli/chat/turn-view.ts"
import type { TurnEvent } from "../../../src/client/client.ts"

const started = {
  type: "started",
  session_key: "k",
  agent: "a",
  matched_by: "default",
  provider: "p",
  model: "m",
}
const usage = {
  type: "usage",
  input_tokens: 10,
  output_tokens: 5,
  cached_tokens: 0,
  cost_usd: 0.5,
  provider: "p",
  model: "m",
}
const done = { type: "done", stop_reason: "end" }

/** What stays on the screen once these events were shown. */
function shown(...events: Record<string, unknown>[]): string {
  const printed: string[] = []
  const screen = {
    print: (text: string) => void printed.push(text),
    live: () => undefined,
    columns: () => 60,
    color: false,
  }
  const view = openTurnView(screen, () => 0)
  for (const [seq, event] of events.entries()) view.show({ turn_id: "t", seq, ...event } as TurnEvent)
  view.end()
  return printed.join("\n")
}

test("a turn shows its reasoning, its tools, its text and what it cost", () => {
  const call = { id: "1", name: "current_time" }
  expect(
    shown(
      started,
      { type: "reasoning", text: "What time " },
      { type: "reasoning", text: "is it?" },
      { type: "tool_use", ...call, input: { zone: "UTC" } },
      { type: "tool_result", ...call, content: "noon\nexactly", is_error: false, duration_ms: 7 },
      { type: "text", text: "It is " },
      { type: "text", text: "noon." },
      usage,
      usage,
      done,
    ),
  ).toBe(`What time is it?

● current_time {"zone":"UTC"} (7 ms)
  noon exactly

It is noon.

m · 20 in, 10 out · $1.0000 · 0 ms
`)
})

test("a cost of which a part is not known is not told", () => {
  expect(shown(started, usage, { ...usage, cost_usd: null }, done)).toBe("m · 20 in, 10 out · 0 ms\n")
  expect(shown(started, { ...done, stop_reason: "aborted" })).toBe("stopped · m · 0 in, 0 out · 0 ms\n")
})

test("text that is void before it was printed never was", () => {
  const failover = { type: "failover", from: "a", to: "b", reason: "cut" }
  const text = shown(
    started,
    { type: "text", text: "half an ans" },
    failover,
    { type: "text", text: "whole" },
    done,
  )
  expect(text).not.toContain("half")
  expect(text).toContain("↻ a failed (cut), b answers\n\nwhole")
})

test("text that is void after it was printed is disowned", () => {
  const retry = { type: "retry", attempt: 1, wait_ms: 1500, reason: "overloaded" }
  const text = shown(
    started,
    { type: "text", text: "One.\n\nTw" },
    retry,
    { type: "text", text: "One. Two." },
    done,
  )
  expect(text).toContain(
    "One.\n\n↻ overloaded, trying again in 1.5 s; the answer above is void and starts again\n\nOne. Two.",
  )
})

test("a failure is said once, with its reason", () => {
  const data = { reason: "the key is wrong", turn_id: "t" }
  const error = { type: "error", code: "provider_failed", message: "The model provider failed.", data }
  const text = shown(started, error, { type: "done", stop_reason: "error" })
  expect(text.match(/provider_failed/g)).toHaveLength(1)
  expect(text).toContain("reason: the key is wrong")
  expect(text).not.toContain("turn_id")
  expect(text).toContain("failed · m")
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
const steering = /[\u001b\u0007\u009b]/

test("what a tool or a peer says cannot steer the terminal", () => {
  const call = { id: "1", name: "x\u001b[2J" }
  const result = { type: "tool_result", ...call, content: "\u001b]0;t\u0007", is_error: true, duration_ms: 1 }
  expect(shown(started, { type: "tool_use", ...call, input: "\u009b" }, result, done)).not.toMatch(steering)
})

/** A terminal as far as the screen uses one: a list of rows, the cursor in the last one. */
function terminal(columns: number, rows: number) {
  let lines = [""]
  let row = 0
  return {
    columns,
    rows,
    write(text: string) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about.
      for (const [token] of text.matchAll(/\u001b\[\??[\d;]*[a-zA-Z]|[\s\S]/g)) {
        if (token === "\n") {
          row++
          lines[row] ??= ""
        } else if (token === "\r") lines[row] = lines[row] ?? ""
        else if (/A$/.test(token) && token.length > 1) row -= Number(token.slice(2, -1))
        else if (token === "\u001b[J") lines = [...lines.slice(0, row), ""]
        else if (token.length === 1) {
          lines[row] += token
          if (Bun.stringWidth(lines[row]!) >= columns) throw new Error(`too wide: ${lines[row]}`)
        }
      }
    },
    text: () => lines.join("\n"),
    /** Wraps what is too wide now, as most terminals do; the cursor stays at the end. */
    resize(this: { columns: number }, wanted: number) {
      columns = wanted
      this.columns = wanted
      lines = lines.flatMap((line) =>
        Bun.wrapAnsi(line, wanted, { hard: true, wordWrap: false, trim: false }).split("\n"),
      )
      row = lines.length - 1
    },
  }
}

test("what is live while the terminal becomes narrower is not left there twice", () => {
  const output = terminal(60, 20)
  const screen = openScreen(output, false)
  screen.print("first")
  screen.live("a row\nand a text that is longer than one row of the narrow terminal")
  output.resize(24)
  screen.live("a row\nand a text that is longer than one row of the narrow terminal indeed")
  expect(output.text()).toBe(
    "first\na row\nand a text that is \nlonger than one row of \nthe narrow terminal \nindeed",
  )
})

test("what is live is replaced by what is next, in any width", () => {
  const output = terminal(24, 10)
  const screen = openScreen(output, false)
  screen.print("first")
  screen.live("a text that is longer than one row of the terminal")
  screen.live("日本語日本語日本語日本語日本語")
  screen.live(Array.from({ length: 40 }, (_, index) => `row ${index}`).join("\n"))
  expect(output.text().split("\n")).toHaveLength(1 + 8)
  screen.print("second")
  screen.live("")
  expect(output.text()).toBe("first\nsecond\n")
})

test("whatever was drawn before, the screen shows what was printed and what is live", () => {
  const line = fc.constantFrom(
    "",
    "a",
    "bc",
    "a long row that has to be wrapped somewhere",
    "日本語日本語日本語日本語",
  )
  const text = fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n"))
  const step = fc.record({ kind: fc.constantFrom("print" as const, "live" as const), text })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const output = terminal(24, 60)
      const screen = openScreen(output, false)
      let printed = ""
      for (const { kind, text } of steps) {
        screen[kind](text)
        const rows = text === "" && kind === "live" ? "" : Bun.wrapAnsi(text, 23, { hard: true, trim: false })
        if (kind === "print") printed += `${rows}\n`
        expect(output.text()).toBe(kind === "print" ? printed : printed + rows)
      }
    }),
  )
})
