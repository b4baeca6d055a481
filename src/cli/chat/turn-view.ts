import { applyEvent, emptyView, type TurnEvent } from "../../client/events.ts"
import { dollars, duration, failureText, framed, harmless } from "../text.ts"
import { openFlow } from "./flow.ts"
import { type Screen, style } from "./screen.ts"

type Of<T extends TurnEvent["type"]> = Extract<TurnEvent, { type: T }>
type Handlers = { [T in TurnEvent["type"]]: (event: Of<T>) => void }

export type TurnView = {
  show(event: TurnEvent): void
  /** Shown below what there is until the next event: a lost connection, say. */
  notice(text: string): void
  /** Below all else until it is "". */
  ask(question: string): void
  /** Printed for good. */
  tell(text: string): void
  /** The turn failed; said once, even where an error event has said it already. */
  fail(text: string): void
  /** Prints what is still live; after it the screen is the prompt's again. */
  end(): void
}

/** Shows one turn as it happens: reasoning dim, text as markdown block by block, a line for each tool. */
export function openTurnView(screen: Screen, now_ms: () => number = Date.now): TurnView {
  const flow = openFlow(screen)
  const { dim, red } = style(screen.color)
  let state: "running" | "failed" | "over" = "running"
  const fail = (text: string) => {
    flow.settle()
    if (state === "running") flow.print(red(text))
    if (state === "running") state = "failed"
  }
  const tools = openTools(screen, flow.print)
  let question = ""
  const draw = (notice = "") => flow.draw([...tools.lines(), dim(notice), question])
  const handlers = handlersFor({
    flow,
    tools,
    fail,
    footer: openFooter(now_ms),
    columns: screen.columns,
    dim,
  })
  return {
    show(event) {
      if (state === "over") return
      // A later gateway may tell of more than this knows.
      const handle = handlers[event.type] as ((event: TurnEvent) => void) | undefined
      handle?.(event)
      draw(event.type === "started" ? "…" : "")
    },
    notice(text) {
      if (state !== "over") draw(text)
    },
    ask(text) {
      question = text
      if (state !== "over") draw()
    },
    tell(text) {
      if (state === "over") return
      flow.settle()
      flow.print(text)
      draw()
    },
    fail,
    end() {
      flow.settle()
      screen.live("")
      state = "over"
    },
  }
}

type Parts = {
  flow: ReturnType<typeof openFlow>
  tools: ReturnType<typeof openTools>
  footer: ReturnType<typeof openFooter>
  columns(): number
  fail(text: string): void
  dim(text: string): string
}

function handlersFor({ flow, tools, footer, columns, fail, dim }: Parts): Handlers {
  /** What came since the last tool's result does not count any more. What is printed already can only be disowned. */
  const restart = (reason: string) => {
    tools.clear()
    const rest = flow.drop() ? "; the answer above is void and starts again" : ""
    flow.print(dim(`↻ ${reason}${rest}`))
  }
  return {
    started: (event) => footer.add(event),
    text: ({ text }) => flow.add("text", text),
    reasoning: ({ text }) => flow.add("reasoning", text),
    tool_use(event) {
      flow.settle()
      tools.began(event)
    },
    tool_result(event) {
      flow.settle()
      tools.ended(event)
      flow.keep()
    },
    usage: (event) => footer.add(event),
    retry: ({ reason, wait_ms }) => restart(`${harmless(reason)}, trying again in ${duration(wait_ms)}`),
    failover: ({ from, to, reason }) => restart(harmless(`${from} failed (${reason}), ${to} answers`)),
    approval({ summary }) {
      flow.settle()
      flow.print(`${dim("Somebody who may approve has to answer:")}\n${framed(summary, columns())}`)
    },
    error: (event) => fail(failureText(event)),
    done({ stop_reason }) {
      flow.settle()
      tools.clear()
      flow.print(`${dim(footer.text(stop_reason))}\n`)
    },
  }
}

/** The calls of tools: live while they run, a line and the beginning of the result afterwards. */
function openTools(screen: Screen, print: (text: string) => void) {
  const { dim, red, cyan } = style(screen.color)
  let running: { id: string; name: string; input: unknown }[] = []
  const call = ({ name, input }: { name: string; input: unknown }) => {
    const columns = screen.columns() - Bun.stringWidth(name) - 20
    return `● ${harmless(name)} ${oneLine(JSON.stringify(input) ?? "", columns)}`
  }
  return {
    lines: () => running.map((tool) => cyan(call(tool))),
    began(tool: Of<"tool_use">): void {
      running.push(tool)
    },
    ended(event: Of<"tool_result">): void {
      const tool = running.find(({ id }) => id === event.id) ?? { name: event.name, input: {} }
      running = running.filter(({ id }) => id !== event.id)
      const result = oneLine(event.content, screen.columns() - 4)
      const head = `${call(tool)} ${dim(`(${duration(event.duration_ms)})`)}`
      const [title, body] = event.is_error ? [red, red] : [cyan, dim]
      print(`${title(head)}\n  ${body(result)}`)
    },
    clear(): void {
      running = []
    },
  }
}

/** The line below an answer: why it ended, who wrote it and what it took. */
function openFooter(now_ms: () => number) {
  const started_ms = now_ms()
  const view = emptyView()
  return {
    add(event: TurnEvent): void {
      applyEvent(view, event)
    },
    text(stop_reason: string): string {
      const { model = "", usage } = view
      const parts = [
        stop_reason === "end" ? "" : (stop_reasons[stop_reason] ?? harmless(stop_reason)),
        harmless(model),
        `${usage.input_tokens} in, ${usage.output_tokens} out`,
        usage.cost_usd === null || usage.input_tokens === 0 ? "" : dollars(usage.cost_usd),
        duration(now_ms() - started_ms),
      ]
      return parts.filter((part) => part !== "").join(" · ")
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

const oneLine = (text: string, columns_max: number): string =>
  Bun.sliceAnsi(harmless(text).replace(/\s+/g, " ").trim(), 0, Math.max(1, columns_max), { ellipsis: "…" })
