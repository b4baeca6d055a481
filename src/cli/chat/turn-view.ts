import type { TurnEvent } from "../../client/client.ts"
import { dollars, duration, harmless } from "../text.ts"
import { renderMarkdown, takeBlocks } from "./markdown.ts"
import { type Screen, style } from "./screen.ts"

type Tool = { id: string; name: string; input: unknown }

type Usage = { input: number; output: number; cost_usd: number | null; model: string }

export type TurnView = {
  show(event: TurnEvent): void
  /** Shown below what there is until the next event: a lost connection, say. */
  notice(text: string): void
  /** The turn failed; said once, even where an error event has said it already. */
  fail(text: string): void
  /** Prints what is still live; after it the screen is the prompt's again. */
  end(): void
}

/** Shows one turn as it happens: reasoning dim, text as markdown block by block, a line for each tool. */
export function openTurnView(screen: Screen, now_ms: () => number = Date.now): TurnView {
  const { dim, red, cyan } = style(screen.color)
  const started_ms = now_ms()
  let kind: "none" | "text" | "reasoning" = "none"
  let pending = ""
  let is_first = true
  let has_printed_loose = false
  let has_error = false
  let is_over = false
  let tools: Tool[] = []
  let usage: Usage = { input: 0, output: 0, cost_usd: null, model: "" }

  function print(text: string): void {
    if (text.trim() === "") return
    screen.print(is_first ? text : `\n${text}`)
    is_first = false
  }

  const render = (text: string) =>
    kind === "reasoning" ? dim(harmless(text).trim()) : renderMarkdown(text, screen.columns(), screen.color)

  function draw(extra = ""): void {
    const lines = [
      pending.trim() === "" ? "" : render(pending),
      ...tools.map((tool) => cyan(call(tool))),
      extra,
    ]
    const text = lines.filter((line) => line !== "").join("\n")
    screen.live(text === "" ? "" : is_first ? text : `\n${text}`)
  }

  /** Prints what can no longer change. */
  function settle(): void {
    if (pending.trim() !== "") {
      print(render(pending))
      has_printed_loose = true
    }
    pending = ""
    kind = "none"
  }

  function add(type: "text" | "reasoning", text: string): void {
    if (kind !== type) settle()
    kind = type
    pending += text
    const { done, rest } = takeBlocks(pending)
    if (done.trim() !== "") {
      print(render(done))
      has_printed_loose = true
      pending = rest
    }
    draw()
  }

  function finishTool(event: TurnEvent & { type: "tool_result" }): void {
    settle()
    const tool = tools.find(({ id }) => id === event.id) ?? { ...event, input: {} }
    tools = tools.filter(({ id }) => id !== event.id)
    const result = oneLine(event.content, screen.columns() - 4)
    const head = `${call(tool)} ${dim(`(${duration(event.duration_ms)})`)}`
    print(`${event.is_error ? red(head) : cyan(head)}\n  ${event.is_error ? red(result) : dim(result)}`)
    has_printed_loose = false
    draw()
  }

  /** What came since the last tool's result does not count any more. What is printed already can only be disowned. */
  function restart(reason: string): void {
    pending = ""
    kind = "none"
    tools = []
    print(dim(has_printed_loose ? `↻ ${reason}; the answer above is void and starts again` : `↻ ${reason}`))
    has_printed_loose = false
    draw()
  }

  const call = ({ name, input }: Tool) =>
    `● ${harmless(name)} ${oneLine(JSON.stringify(input) ?? "", screen.columns() - Bun.stringWidth(name) - 20)}`

  function footer(stop_reason: string): string {
    const parts = [
      ...(stop_reason === "end" ? [] : [stop_reasons[stop_reason] ?? stop_reason]),
      harmless(usage.model),
      `${usage.input} in, ${usage.output} out`,
      ...(usage.cost_usd === null ? [] : [dollars(usage.cost_usd)]),
      duration(now_ms() - started_ms),
    ]
    return dim(parts.filter((part) => part !== "").join(" · "))
  }

  function show(event: TurnEvent): void {
    switch (event.type) {
      case "started":
        usage.model = event.model
        draw(dim("…"))
        break
      case "text":
      case "reasoning":
        add(event.type, event.text)
        break
      case "tool_use":
        settle()
        tools.push(event)
        draw()
        break
      case "tool_result":
        finishTool(event)
        break
      case "usage":
        usage = sum(usage, event)
        break
      case "retry":
        restart(`${harmless(event.reason)}, trying again in ${duration(event.wait_ms)}`)
        break
      case "failover":
        restart(`${harmless(event.from)} failed, ${harmless(event.to)} answers`)
        break
      case "approval":
        print(`${harmless(event.tool)} waits for an operator: ${harmless(event.summary)}`)
        break
      case "error":
        settle()
        has_error = true
        print(red(`${harmless(event.message)} (${harmless(event.code)})`))
        break
      case "done":
        settle()
        tools = []
        print(`${footer(event.stop_reason)}\n`)
    }
  }

  return {
    show(event) {
      if (!is_over) show(event)
    },
    notice(text) {
      if (!is_over) draw(dim(text))
    },
    fail(text) {
      settle()
      if (!is_over && !has_error) print(red(text))
    },
    end() {
      settle()
      screen.live("")
      is_over = true
    },
  }
}

const stop_reasons: Record<string, string> = {
  aborted: "stopped",
  length: "cut at the limit of tokens",
  iterations: "stopped after the last allowed round of tools",
  budget: "the budget is used up",
  interrupted: "the gateway stopped",
  error: "failed",
}

const sum = (usage: Usage, event: TurnEvent & { type: "usage" }): Usage => ({
  input: usage.input + event.input_tokens,
  output: usage.output + event.output_tokens,
  cost_usd: event.cost_usd === null ? usage.cost_usd : (usage.cost_usd ?? 0) + event.cost_usd,
  model: event.model,
})

function oneLine(text: string, columns_max: number): string {
  const line = harmless(text).replace(/\s+/g, " ").trim()
  return Bun.sliceAnsi(line, 0, Math.max(1, columns_max), { ellipsis: "…" })
}
