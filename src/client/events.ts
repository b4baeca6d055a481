/** Fields that every event of a turn has. `seq_first` is there when the gateway merged several text events into one. */
type At = { turn_id: string; seq: number; seq_first?: number }

export type StopReason = "end" | "length" | "aborted" | "interrupted" | "iterations" | "budget" | "error"

export type TurnEvent = At &
  (
    | {
        type: "started"
        /** null for a turn without a session. */
        session_key: string | null
        agent: string
        matched_by: string
        provider: string
        model: string
      }
    | { type: "text"; text: string }
    | { type: "reasoning"; text: string }
    | { type: "tool_use"; id: string; name: string; input: unknown }
    | {
        type: "tool_result"
        id: string
        name: string
        content: string
        is_error: boolean
        duration_ms: number
      }
    | {
        type: "usage"
        input_tokens: number
        output_tokens: number
        cached_tokens: number
        cost_usd: number | null
        provider: string
        model: string
      }
    | { type: "retry"; attempt: number; wait_ms: number; reason: string }
    | { type: "failover"; from: string; to: string; reason: string }
    | {
        /** A call waits for a person, who answers by `approval.resolve` with this hash. */
        type: "approval"
        approval_id: string
        hash: string
        tool: string
        /** All that the call would do. */
        summary: string
        expires_ms: number
      }
    | { type: "error"; code: string; message: string; data?: Record<string, unknown> }
    | { type: "done"; stop_reason: StopReason }
  )

export type ToolCall = {
  id: string
  name: string
  input: unknown
  content?: string
  is_error?: boolean
  duration_ms?: number
}

/** A turn so far, as somebody who watches it should see it. */
export type TurnView = {
  turn_id?: string
  session_key?: string | null
  agent?: string
  model?: string
  text: string
  reasoning: string
  tools: ToolCall[]
  /** The cost is null as soon as one part's is not known: half of a sum would be a lie. */
  usage: { input_tokens: number; output_tokens: number; cached_tokens: number; cost_usd: number | null }
  stop_reason?: StopReason
  /** How much of `text` and `reasoning` a retry or a failover cannot take back. */
  settled: { text: number; reasoning: number }
}

export const emptyView = (): TurnView => ({
  text: "",
  reasoning: "",
  tools: [],
  usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0, cost_usd: 0 },
  settled: { text: 0, reasoning: 0 },
})

/**
 * Adds an event to a view, in place. After `retry` and `failover` the text since the last `started`, `failover`
 * or `tool_result` is void and comes again; here it is cut off, so that `text` never shows it twice.
 */
export function applyEvent(view: TurnView, event: TurnEvent): TurnView {
  view.turn_id = event.turn_id
  switch (event.type) {
    case "started":
      Object.assign(view, { session_key: event.session_key, agent: event.agent, model: event.model })
      break
    case "text":
    case "reasoning":
      view[event.type] += event.text
      break
    case "retry":
    case "failover":
      view.text = view.text.slice(0, view.settled.text)
      view.reasoning = view.reasoning.slice(0, view.settled.reasoning)
      break
    case "tool_use":
      view.tools.push({ id: event.id, name: event.name, input: event.input })
      break
    case "tool_result":
      applyResult(view, event)
      break
    case "usage":
      addUsage(view.usage, event)
      view.model = event.model
      break
    case "done":
      view.stop_reason = event.stop_reason
  }
  return view
}

function applyResult(view: TurnView, event: TurnEvent & { type: "tool_result" }): void {
  const call = view.tools.findLast((tool) => tool.id === event.id)
  const { content, is_error, duration_ms } = event
  if (call) Object.assign(call, { content, is_error, duration_ms })
  view.settled = { text: view.text.length, reasoning: view.reasoning.length }
}

function addUsage(sum: TurnView["usage"], event: TurnEvent & { type: "usage" }): void {
  sum.input_tokens += event.input_tokens
  sum.output_tokens += event.output_tokens
  sum.cached_tokens += event.cached_tokens
  sum.cost_usd = sum.cost_usd === null || event.cost_usd === null ? null : sum.cost_usd + event.cost_usd
}
