import type { Chat, StopReason, TurnEvent } from "../client/client.ts"
import type { Attendant } from "./ask.ts"
import { columnsOf, note, notes, output, write } from "./output.ts"
import { duration, framed, harmless } from "./text.ts"

/**
 * Text as it comes. What a retry or a failover voids is out already and cannot be taken back: then that is said,
 * on standard error. Answers why the turn ended. Without somebody to ask, it says what was denied for that.
 */
export async function streamText(chat: Chat, attendant?: Attendant): Promise<StopReason | undefined> {
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
    const is_asked = event.type === "approval" && attendant !== undefined
    const told = is_asked ? "" : tell(event, loose_chars > 0)
    if (told === undefined) continue
    if (!last.endsWith("\n")) await write("\n")
    last = "\n"
    loose_chars = 0
    if (told) note(told)
    if (is_asked) await attendant.ask(event)
  }
  if (!last.endsWith("\n")) await write("\n")
  return stop_reason
}

/** How the result of a call begins that was refused, and what it says where only somebody to ask was missing. */
const denied = "Denied: "
const nobody = "nobody is there"
const hint =
  '["ask" under [agent.permissions] has a person asked, here in a terminal or in another one by `weft approval watch`; "allow" runs it without]'

/** What to do about a result that says that nobody could be asked; undefined for all others. */
export const deniedHint = (content: string): string | undefined =>
  content.startsWith(denied) && content.includes(nobody) ? hint : undefined

function tell(event: TurnEvent, is_void: boolean): string | undefined {
  const rest = is_void ? "; what came last is void" : ""
  if (event.type === "retry") return `[${event.reason}, trying again${rest}]`
  if (event.type === "failover") return `[${event.from} failed (${event.reason}), ${event.to} answers${rest}]`
  if (event.type === "approval") {
    return `[${event.tool} waits for somebody who may approve it]\n${framed(event.summary, columnsOf(process.stderr))}\n[weft approval allow ${event.approval_id}]`
  }
  if (event.type !== "tool_result") return undefined
  if (event.is_error && event.content.startsWith(denied)) {
    const hint = deniedHint(event.content)
    return `[${event.name}] ${event.content}${hint ? `\n${hint}` : ""}`
  }
  return notes.isTTY ? `[${event.name}, ${duration(event.duration_ms)}]` : ""
}
