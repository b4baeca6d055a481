import { type Static, Type } from "@sinclair/typebox"

/**
 * What a message is made of. Stored as JSON, sent on the wire and handed to providers in this one shape.
 * `metadata` is a provider's own addition (a reasoning signature, an item id) in its namespace; it is
 * kept and given back untouched.
 */
const Metadata = Type.Optional(Type.Record(Type.String(), Type.Unknown()))

export const TextPart = Type.Object({ type: Type.Literal("text"), text: Type.String(), metadata: Metadata })
export const ReasoningPart = Type.Object({
  type: Type.Literal("reasoning"),
  text: Type.String(),
  metadata: Metadata,
})
/** An image or other file, by the id that POST /files answered. */
export const ImagePart = Type.Object({
  type: Type.Literal("image"),
  file_id: Type.String(),
  mime: Type.String(),
})
export const FilePart = Type.Object({
  type: Type.Literal("file"),
  file_id: Type.String(),
  mime: Type.String(),
  name: Type.Optional(Type.String()),
})
export const ToolUsePart = Type.Object({
  type: Type.Literal("tool_use"),
  id: Type.String(),
  name: Type.String(),
  input: Type.Unknown(),
  metadata: Metadata,
})
export const ToolResultPart = Type.Object({
  type: Type.Literal("tool_result"),
  id: Type.String({ description: "The id of the tool_use that it answers." }),
  name: Type.String(),
  content: Type.String(),
  is_error: Type.Boolean(),
  images: Type.Optional(
    Type.Array(Type.Object({ file_id: Type.String(), mime: Type.String() }), {
      description: "What the tool showed besides, for models that can see.",
    }),
  ),
})
export const Part = Type.Union([TextPart, ReasoningPart, ImagePart, FilePart, ToolUsePart, ToolResultPart])

export type Part = Static<typeof Part>
export type ToolUse = Static<typeof ToolUsePart>
export type ToolResult = Static<typeof ToolResultPart>
export type Role = "user" | "assistant" | "tool"

/** The plain text of a message: its text parts, one after the other. */
export const textOf = (parts: Part[]): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("")

/**
 * Marks the text that the memory puts in front of a user's message: no user said it, nothing stores it. Providers hand its
 * text on and know no more of it.
 */
export const found_metadata = { weft: { memory: true } }

export const isFound = (part: Part): boolean =>
  part.type === "text" && (part.metadata?.weft as { memory?: unknown } | undefined)?.memory === true
