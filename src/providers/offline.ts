import { Type } from "@sinclair/typebox"
import { estimateTokenCount } from "tokenx"
import { isFound, type Part, textOf } from "../base/parts.ts"
import { defineProvider, type ModelChunk, type ModelMessage, type ModelRequest } from "./provider.ts"

const repeated_chars_max = 500

/**
 * What answers where no model is configured: no AI, and it says so. The same conversation always gets the same
 * answer. `/tool NAME {json}` calls a tool, so that the whole loop can be seen at work without a key.
 */
export const offline = defineProvider({
  kind: "offline",
  config: Type.Object({}),
  open: () =>
    async function* stream(request) {
      request.signal.throwIfAborted()
      const call = toolCall(request)
      const text = call ? "" : answerTo(request.messages)
      for (const word of text.match(/\S+\s*/g) ?? []) {
        yield { type: "text", text: word }
        request.signal.throwIfAborted()
      }
      if (call) yield call
      yield {
        type: "done",
        stop_reason: call ? "tool_use" : "end",
        usage: {
          input_tokens: countTokens(request),
          output_tokens: estimateTokenCount(call ? JSON.stringify(call) : text),
          cached_tokens: 0,
        },
      }
    },
})

const wanted = /^\/tool\s+(\S+)\s*([\s\S]*)$/

function toolCall({ messages }: ModelRequest): Extract<ModelChunk, { type: "tool_use" }> | undefined {
  const last = messages.at(-1)
  const [, name, json] = (last?.role === "user" && wanted.exec(saidIn(last.parts))) || []
  if (!name) return undefined
  return { type: "tool_use", id: `offline_${messages.length}`, name, input: parseInput(json ?? "") }
}

/** As from a real model: text that is not JSON stays text, and the loop complains to the caller. */
function parseInput(json: string): unknown {
  if (!json) return {}
  try {
    return JSON.parse(json)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return json
    throw thrown
  }
}

function answerTo(messages: ModelMessage[]): string {
  const last = messages.at(-1)
  if (last?.role === "tool") return last.parts.map(tellResult).filter(Boolean).join("\n")
  const told = messages.filter(({ role }) => role === "user").map(({ parts }) => describe(parts))
  const said = `No model is configured, so this is Weft itself, not an AI. You said: ${told.at(-1) ?? "nothing"}`
  const before = told.at(-2)
  const memory =
    before === undefined ? "" : ` I remember ${told.length - 1} before it, the last one: ${before}`
  const found = tellFound(last?.parts ?? [])
  return `${said}${memory}${found}\n\n${remedy}`
}

/** What the user said himself. */
const saidIn = (parts: Part[]): string => textOf(parts.filter((part) => !isFound(part))).trim()

/** What a model would be told from the memory, so that it can be seen without one. */
function tellFound(parts: Part[]): string {
  const lines = textOf(parts.filter(isFound)).split("\n").slice(2, -2)
  return lines.length === 0 ? "" : `\n\nFrom the memory a model would be told:\n${lines.join("\n")}`
}

const remedy =
  "For real answers, set a key such as ANTHROPIC_API_KEY and restart, or name one under [providers] in config.toml. " +
  "To see a tool at work, send: /tool current_time"

function describe(parts: Part[]): string {
  const text = saidIn(parts)
  const shown = text.length > repeated_chars_max ? `${text.slice(0, repeated_chars_max)}…` : text
  const count = parts.filter(({ type }) => type === "image" || type === "file").length
  const attached = count === 0 ? "" : ` (with ${count} ${count === 1 ? "attachment" : "attachments"})`
  return `"${shown}"${attached}`
}

function tellResult(part: Part): string {
  if (part.type !== "tool_result") return ""
  return part.is_error ? `${part.name} failed: ${part.content}` : `${part.name} answered: ${part.content}`
}

/** An estimate, from the text alone. */
function countTokens({ system, messages }: ModelRequest): number {
  let count = estimateTokenCount(system)
  for (const { parts } of messages) {
    for (const part of parts) {
      if (part.type === "text" || part.type === "reasoning") count += estimateTokenCount(part.text)
      if (part.type === "tool_result") count += estimateTokenCount(part.content)
      if (part.type === "tool_use") count += estimateTokenCount(JSON.stringify(part.input ?? null))
    }
  }
  return count
}
