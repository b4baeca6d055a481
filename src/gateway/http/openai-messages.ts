import { type Static, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import type { Part } from "../../base/parts.ts"
import type { ModelMessage } from "../../providers/provider.ts"

const Content = Type.Union([
  Type.String(),
  Type.Null(),
  Type.Array(
    Type.Union([
      Type.Object({ type: Type.Literal("text"), text: Type.String() }),
      Type.Object({ type: Type.Literal("refusal"), refusal: Type.String() }),
      Type.Object({ type: Type.Literal("image_url"), image_url: Type.Object({ url: Type.String() }) }),
    ]),
  ),
])

export const OpenAiMessage = Type.Object({
  role: Type.Union(
    (["system", "developer", "user", "assistant", "tool"] as const).map((role) => Type.Literal(role)),
  ),
  content: Type.Optional(Content),
  tool_call_id: Type.Optional(Type.String()),
  tool_calls: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        function: Type.Object({ name: Type.String(), arguments: Type.String() }),
      }),
    ),
  ),
})

type OpenAiMessage = Static<typeof OpenAiMessage>

/** Keeps the bytes of an image that came inside a message and answers the part for it. */
export type KeepImage = (bytes: Uint8Array) => Promise<Part>

/** A conversation as we hold it: the system text apart, the results of a round of tools as one message. */
export async function toConversation(
  list: readonly OpenAiMessage[],
  keepImage: KeepImage,
): Promise<{ system: string; messages: ModelMessage[] }> {
  const system: string[] = []
  const messages: ModelMessage[] = []
  const names = new Map<string, string>()
  for (const [i, message] of list.entries()) {
    const { role, content, tool_calls = [], tool_call_id = "" } = message
    if (role === "system" || role === "developer") {
      system.push(textOf(content))
    } else if (role === "tool") {
      const result: Part = {
        type: "tool_result",
        id: tool_call_id,
        name: names.get(tool_call_id) ?? "",
        content: textOf(content),
        is_error: false,
      }
      const last = messages.at(-1)
      if (last?.role === "tool") last.parts.push(result)
      else messages.push({ role, parts: [result] })
    } else {
      const parts = await toParts(content, keepImage, i)
      for (const call of tool_calls) {
        names.set(call.id, call.function.name)
        parts.push({
          type: "tool_use",
          id: call.id,
          name: call.function.name,
          input: parseArguments(call.function.arguments),
        })
      }
      messages.push({ role, parts })
    }
  }
  return { system: system.filter(Boolean).join("\n\n"), messages }
}

function textOf(content: OpenAiMessage["content"]): string {
  if (typeof content === "string") return content
  return (content ?? []).map((part) => (part.type === "text" ? part.text : "")).join("")
}

async function toParts(
  content: OpenAiMessage["content"],
  keepImage: KeepImage,
  index: number,
): Promise<Part[]> {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }]
  const parts: Part[] = []
  for (const part of content ?? []) {
    if (part.type === "text") parts.push({ type: "text", text: part.text })
    if (part.type === "refusal") parts.push({ type: "text", text: part.refusal })
    if (part.type === "image_url") parts.push(await keepImage(decodeDataUrl(part.image_url.url, index)))
  }
  return parts
}

/** Only data URLs: the gateway opens no connection to a host that a client names. */
function decodeDataUrl(url: string, index: number): Uint8Array {
  const found = /^data:[^,]*;base64,([A-Za-z0-9+/=\s]+)$/.exec(url)
  if (!found) {
    throw new AppError("invalid_params", {
      path: `/messages/${index}/content`,
      expected: "an image as a data URL with base64",
    })
  }
  return Buffer.from(found[1]!, "base64")
}

/** What is not JSON goes back to the model as the text that it is. */
function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return text
    throw thrown
  }
}
