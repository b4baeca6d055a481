import type { OpenAICompatibleProvider } from "@ai-sdk/openai-compatible"
import type { Part, ToolResult, ToolUse } from "../base/parts.ts"
import type { ModelMessage, ModelRequest } from "./provider.ts"

/** The SDKs' common model interface. Taken from one of them, so that its types need no package of their own. */
export type LanguageModel = ReturnType<OpenAICompatibleProvider["chatModel"]>
export type CallOptions = Parameters<LanguageModel["doStream"]>[0]
export type Prompt = CallOptions["prompt"]
type PromptMessage = Prompt[number]
type Options = NonNullable<PromptMessage["providerOptions"]>
type UserContent = Extract<PromptMessage, { role: "user" }>["content"]
type AssistantContent = Extract<PromptMessage, { role: "assistant" }>["content"]
type ToolContent = Extract<PromptMessage, { role: "tool" }>["content"]

/** What distinguishes the wires, as far as the conversation is concerned. */
export type PromptTraits = {
  /** The provider's name: messages of others lose their reasoning and metadata. */
  provider: string
  /** Which attachments go as they are; text goes as text, and for others there is a note. */
  takes(mime: string): boolean
  /**
   * Where the images of a tool's result go: into the result, or into a user's message after all results where results are
   * text only; "nowhere" where neither is taken.
   */
  result_images: "inside" | "after" | "nowhere"
  /** Whether reasoning goes back to the one who made it; "needed": no tool call may go without any. */
  reasoning_back: boolean | "needed"
  /** Marks the end of what a provider should cache: the system prompt and the last message. */
  cache_mark?: Options
}

/**
 * The conversation as the SDKs want it: roles alternate, empty parts and messages are gone, and every tool_use is
 * followed by its tool_result and the reverse, whatever an interrupted turn left in the store.
 */
export async function toPrompt(request: ModelRequest, traits: PromptTraits): Promise<Prompt> {
  const prompt: Prompt = []
  if (request.system.trim()) {
    prompt.push(withMark({ role: "system", content: request.system }, traits.cache_mark))
  }
  const { messages } = request
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i]!
    if (message.role === "user") {
      append(prompt, "user", await userContent(message, request, traits))
    }
    if (message.role !== "assistant") continue
    const results = resultsAfter(messages, i)
    append(prompt, "assistant", assistantContent(message, results, traits))
    const answered = answeredBy(message, results)
    append(prompt, "tool", await toolContent(answered, request, traits))
    if (traits.result_images === "after") append(prompt, "user", await imagesAfter(answered, request, traits))
  }
  const last = prompt.at(-1)
  if (traits.cache_mark && last && last.role !== "system")
    prompt[prompt.length - 1] = withMark(last, traits.cache_mark)
  return prompt
}

const withMark = (message: PromptMessage, mark: Options | undefined): PromptMessage =>
  mark ? { ...message, providerOptions: mark } : message

/** Adds to the last message where the role is the same: many servers refuse two of a role in a row. */
function append(prompt: Prompt, role: "user" | "assistant" | "tool", content: unknown[]): void {
  if (content.length === 0) return
  const last = prompt.at(-1)
  if (last?.role === role) {
    ;(last.content as unknown[]).push(...content)
    return
  }
  prompt.push({ role, content } as PromptMessage)
}

/** The results that follow a message directly, by the id of their call; the first of an id counts. */
function resultsAfter(messages: ModelMessage[], index: number): Map<string, ToolResult> {
  const results = new Map<string, ToolResult>()
  for (let i = index + 1; messages[i]?.role === "tool"; i++) {
    for (const part of messages[i]!.parts) {
      if (part.type === "tool_result" && !results.has(part.id)) results.set(part.id, part)
    }
  }
  return results
}

async function userContent(
  { parts }: ModelMessage,
  request: ModelRequest,
  traits: PromptTraits,
): Promise<UserContent> {
  const content: UserContent = []
  for (const part of parts) {
    if (part.type === "text" && part.text.trim()) content.push({ type: "text", text: part.text })
    if (part.type === "image" || part.type === "file") content.push(await attachment(part, request, traits))
  }
  return content
}

async function attachment(
  part: Extract<Part, { type: "image" | "file" }>,
  { readFile }: ModelRequest,
  { takes }: PromptTraits,
): Promise<UserContent[number]> {
  const { mime } = part
  const name = part.type === "file" && part.name ? part.name : part.file_id
  if (takes(mime)) {
    const data = await readFile(part.file_id)
    return {
      type: "file",
      mediaType: mime,
      data: { type: "data", data },
      ...(part.type === "file" && part.name ? { filename: part.name } : {}),
    }
  }
  if (mime.startsWith("text/") || mime === "application/json") {
    const text = new TextDecoder().decode(await readFile(part.file_id))
    return { type: "text", text: `<file name=${JSON.stringify(name)} type="${mime}">\n${text}\n</file>` }
  }
  return { type: "text", text: `[An attachment that you cannot see: ${name} (${mime})]` }
}

function assistantContent(
  { parts, provider }: ModelMessage,
  results: Map<string, ToolResult>,
  { provider: name, reasoning_back }: PromptTraits,
): AssistantContent {
  const own = provider === name
  const content: AssistantContent = []
  const called = new Set<string>()
  for (const part of parts) {
    const metadata = own && "metadata" in part ? (part.metadata as Options | undefined) : undefined
    const options = metadata ? { providerOptions: metadata } : {}
    if (part.type === "text" && (part.text.trim() || metadata)) {
      content.push({ type: "text", text: part.text, ...options })
    }
    if (part.type === "reasoning" && own && reasoning_back) {
      content.push({ type: "reasoning", text: part.text, ...options })
    }
    if (part.type === "tool_use" && results.has(part.id) && !called.has(part.id)) {
      called.add(part.id)
      content.push({
        type: "tool-call",
        toolCallId: part.id,
        toolName: part.name,
        input: toInput(part),
        ...options,
      })
    }
  }
  // Anthropic refuses an answer that ends in a thought, which is what an interrupted one does.
  while (content.at(-1)?.type === "reasoning") content.pop()
  const bare = called.size > 0 && !content.some(({ type }) => type === "reasoning")
  if (reasoning_back === "needed" && bare) content.unshift({ type: "reasoning", text: "(not kept)" })
  return content
}

/** APIs want an object. What the model wrote instead stays visible to it, beside the error that it got. */
const toInput = ({ input }: ToolUse): unknown =>
  typeof input === "object" && input !== null && !Array.isArray(input) ? input : { invalid_json: input }

/** The results of a message's calls, in their order, one each. */
function answeredBy({ parts }: ModelMessage, results: Map<string, ToolResult>): ToolResult[] {
  const answered = new Map<string, ToolResult>()
  for (const part of parts) {
    const result = part.type === "tool_use" ? results.get(part.id) : undefined
    if (result) answered.set(result.id, result)
  }
  return [...answered.values()]
}

type ToolOutput = Extract<ToolContent[number], { type: "tool-result" }>["output"]

async function toolContent(
  results: ToolResult[],
  request: ModelRequest,
  traits: PromptTraits,
): Promise<ToolContent> {
  const content: ToolContent = []
  for (const result of results) {
    const output = await toOutput(result, request, traits)
    content.push({ type: "tool-result", toolCallId: result.id, toolName: result.name, output })
  }
  return content
}

async function toOutput(
  { content, is_error, images = [] }: ToolResult,
  { readFile }: ModelRequest,
  { takes, result_images }: PromptTraits,
): Promise<ToolOutput> {
  const seen = result_images === "nowhere" ? [] : images.filter(({ mime }) => takes(mime))
  const unseen = images.filter((image) => !seen.includes(image))
  const notes = unseen.map(({ mime }) => `[An image that you cannot see: ${mime}]`)
  const text = [content, ...notes].join("\n")
  if (is_error) return { type: "error-text", value: text }
  if (result_images !== "inside" || seen.length === 0) return { type: "text", value: text }
  const files = seen.map(async ({ file_id, mime }) => ({
    type: "file" as const,
    mediaType: mime,
    data: { type: "data" as const, data: await readFile(file_id) },
  }))
  return { type: "content", value: [{ type: "text", text }, ...(await Promise.all(files))] }
}

/** The images of several results, each with the call that it came from. */
async function imagesAfter(
  results: ToolResult[],
  request: ModelRequest,
  traits: PromptTraits,
): Promise<UserContent> {
  const content: UserContent = []
  for (const { id, name, images = [] } of results) {
    for (const { file_id, mime } of images.filter(({ mime }) => traits.takes(mime))) {
      content.push({ type: "text", text: `[The image that ${name} (${id}) returned:]` })
      content.push(await attachment({ type: "image", file_id, mime }, request, traits))
    }
  }
  return content
}
