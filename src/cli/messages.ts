import { when } from "./text.ts"

type Message = { role: string; created_ms: number; parts: unknown[] }

/** Stored messages for reading: who, when, and what of it is text. */
export const showMessages = (messages: Message[]): string =>
  messages
    .map((message) => `${message.role}, ${when(message.created_ms)}\n${showParts(message.parts)}`)
    .join("\n\n")

const showParts = (parts: unknown[]): string =>
  parts
    .map((part) => showPart(part as Record<string, unknown>))
    .filter((text) => text !== "")
    .join("\n")

function showPart(part: Record<string, unknown>): string {
  switch (part.type) {
    case "text":
      return indent(String(part.text))
    case "tool_use":
      return indent(`[${part.name} ${JSON.stringify(part.input)}]`)
    case "tool_result":
      return indent(`[${part.name}: ${part.content}]`)
    case "image":
    case "file":
      return indent(`[${part.type} ${part.name ?? part.file_id}, ${part.mime}]`)
  }
  return ""
}

const indent = (text: string) => text.replace(/^/gm, "  ")
