import type { Chat, StopReason, TurnEvent } from "../client/client.ts"
import { note, notes, output, write } from "./output.ts"
import { duration, harmless } from "./text.ts"

/**
 * Text as it comes. What a retry or a failover voids is out already and cannot be taken back: then that is said,
 * on standard error. Answers why the turn ended.
 */
export async function streamText(chat: Chat): Promise<StopReason | undefined> {
  const show = output.isTTY ? harmless : (text: string) => text
  let last = "\n"
  let loose_chars = 0
  let stop_reason: StopReason | undefined
  for await (const event of chat) {
    if (event.type === "text" && event.text !== "") {
      await write(show(event.text))
      last = event.text
      loose_chars += event.text.length
      continue
    }
    if (event.type === "done") stop_reason = event.stop_reason
    const told = tell(event, loose_chars > 0)
    if (told === undefined) continue
    if (!last.endsWith("\n")) await write("\n")
    last = "\n"
    loose_chars = 0
    if (told) note(told)
  }
  if (!last.endsWith("\n")) await write("\n")
  return stop_reason
}

function tell(event: TurnEvent, is_void: boolean): string | undefined {
  const rest = is_void ? "; what came last is void" : ""
  if (event.type === "retry") return `[${event.reason}, trying again${rest}]`
  if (event.type === "failover") return `[${event.from} failed (${event.reason}), ${event.to} answers${rest}]`
  if (event.type !== "tool_result") return undefined
  return notes.isTTY ? `[${event.name}, ${duration(event.duration_ms)}]` : ""
}
