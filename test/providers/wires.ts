import type { ProviderConfig } from "../../src/providers/config.ts"

/** One wire's way to say the same things, as the bodies of its server-sent events. */
export type Wire = {
  name: string
  kind: NonNullable<ProviderConfig["kind"]>
  api?: "responses" | "chat"
  /** Frames before the first words. */
  begin: string
  text(words: string): string
  tool(id: string, name: string, fragments: string[], whole?: boolean): string
  /** The end: with 12 tokens in, of which 4 are cached, and 7 out. */
  end(reason: "end" | "length" | "tool_use" | "refused"): string
  error: string
}

const event = (value: { type: string } & Record<string, unknown>) =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`
const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`

const anthropic: Wire = {
  name: "anthropic",
  kind: "anthropic",
  begin: event({
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: 8,
        cache_read_input_tokens: 4,
        cache_creation_input_tokens: 0,
        output_tokens: 1,
      },
    },
  }),
  text: (words) =>
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: words } }) +
    event({ type: "content_block_stop", index: 0 }),
  tool: (id, name, fragments, whole = true) =>
    event({
      type: "content_block_start",
      index: 1,
      content_block: { type: "tool_use", id, name, input: {} },
    }) +
    fragments
      .map((partial_json) =>
        event({ type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json } }),
      )
      .join("") +
    (whole ? event({ type: "content_block_stop", index: 1 }) : ""),
  end: (reason) =>
    event({
      type: "message_delta",
      delta: {
        stop_reason: { end: "end_turn", length: "max_tokens", tool_use: "tool_use", refused: "refusal" }[
          reason
        ],
        stop_sequence: null,
      },
      usage: { output_tokens: 7 },
    }) + event({ type: "message_stop" }),
  error: event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
}

const choice = (delta: unknown, finish_reason: string | null = null) =>
  data({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta, finish_reason }],
  })

const chat: Wire = {
  name: "openai chat",
  kind: "openai",
  api: "chat",
  begin: choice({ role: "assistant", content: "" }),
  text: (words) => choice({ content: words }),
  tool: (id, name, fragments) =>
    choice({ tool_calls: [{ index: 0, id, type: "function", function: { name, arguments: "" } }] }) +
    fragments.map((text) => choice({ tool_calls: [{ index: 0, function: { arguments: text } }] })).join(""),
  end: (reason) =>
    choice({}, { end: "stop", length: "length", tool_use: "tool_calls", refused: "content_filter" }[reason]) +
    data({
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 7,
        total_tokens: 19,
        prompt_tokens_details: { cached_tokens: 4 },
      },
    }) +
    "data: [DONE]\n\n",
  error: data({ error: { message: "Overloaded", type: "server_error", code: "overloaded" } }),
}

const responses: Wire = {
  name: "openai responses",
  kind: "openai",
  api: "responses",
  begin: event({ type: "response.created", response: { id: "resp_1", created_at: 1, model: "m" } }),
  text: (words) =>
    event({
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "message", id: "msg_1", status: "in_progress", role: "assistant", content: [] },
    }) +
    event({
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta: words,
    }) +
    event({
      type: "response.output_item.done",
      output_index: 0,
      item: {
        type: "message",
        id: "msg_1",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: words, annotations: [] }],
      },
    }),
  tool: (id, name, fragments, whole = true) =>
    event({
      type: "response.output_item.added",
      output_index: 1,
      item: {
        type: "function_call",
        id: `fc_${id}`,
        call_id: id,
        name,
        arguments: "",
        status: "in_progress",
      },
    }) +
    fragments
      .map((delta) =>
        event({
          type: "response.function_call_arguments.delta",
          item_id: `fc_${id}`,
          output_index: 1,
          delta,
        }),
      )
      .join("") +
    (whole
      ? event({
          type: "response.output_item.done",
          output_index: 1,
          item: {
            type: "function_call",
            id: `fc_${id}`,
            call_id: id,
            name,
            arguments: fragments.join(""),
            status: "completed",
          },
        })
      : ""),
  end: (reason) => {
    const why = { length: "max_output_tokens", refused: "content_filter" }[reason as string]
    return event({
      type: why ? "response.incomplete" : "response.completed",
      response: {
        id: "resp_1",
        incomplete_details: why ? { reason: why } : null,
        usage: {
          input_tokens: 12,
          input_tokens_details: { cached_tokens: 4 },
          output_tokens: 7,
          output_tokens_details: { reasoning_tokens: 0 },
        },
      },
    })
  },
  error: event({
    type: "error",
    sequence_number: 3,
    error: { type: "server_error", code: "overloaded", message: "Overloaded", param: null },
  }),
}

const candidate = (parts: unknown[], finishReason?: string) =>
  data({
    candidates: [{ content: { role: "model", parts }, index: 0, ...(finishReason ? { finishReason } : {}) }],
    usageMetadata: {
      promptTokenCount: 12,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 7,
      totalTokenCount: 19,
    },
    modelVersion: "m",
    responseId: "r1",
  })

const google: Wire = {
  name: "google",
  kind: "google",
  begin: "",
  text: (words) => candidate([{ text: words }]),
  tool: (_id, name, fragments) =>
    candidate([{ functionCall: { name, args: JSON.parse(fragments.join("")) } }]),
  end: (reason) =>
    candidate([], { end: "STOP", length: "MAX_TOKENS", tool_use: "STOP", refused: "SAFETY" }[reason]),
  error: data({ error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } }),
}

const compatible: Wire = { ...chat, name: "openai-compatible", kind: "openai-compatible" }
delete compatible.api

export const wires: Wire[] = [anthropic, responses, chat, google, compatible]
