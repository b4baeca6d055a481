/**
 * An OpenAI-compatible model that answers at once with four tokens, so that what is measured is the gateway.
 * Prints its base URL; `GET /last` tells how large the last request was.
 */
import { estimateTokenCount } from "tokenx"

const chunk = (choice: object, more: object = {}) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-instant",
    object: "chat.completion.chunk",
    created: 1,
    model: "instant",
    choices: [{ index: 0, finish_reason: null, ...choice }],
    ...more,
  })}\n\n`

const usage = { prompt_tokens: 20, completion_tokens: 4, total_tokens: 24 }
const answer = new TextEncoder().encode(
  [
    chunk({ delta: { role: "assistant", content: "Hello" } }),
    ...[" there", ", you", "."].map((content) => chunk({ delta: { content } })),
    chunk({ delta: {}, finish_reason: "stop" }),
    chunk({}, { choices: [], usage }),
    "data: [DONE]\n\n",
  ].join(""),
)
const headers = { "content-type": "text/event-stream" }
let last = "{}"

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: {
    "/v1/chat/completions": {
      async POST(request) {
        last = await request.text()
        return new Response(answer, { headers })
      },
    },
    "/v1/models": () => Response.json({ object: "list", data: [{ id: "instant", object: "model" }] }),
    "/last": () => Response.json(sizeOf(last)),
  },
  fetch: () => new Response("", { status: 404 }),
})

console.log(`http://127.0.0.1:${server.port}/v1`)

/** What the model reads: the messages and the tools, not the envelope around them. */
function sizeOf(body: string) {
  const { messages = [], tools = [] } = JSON.parse(body)
  const read = `${JSON.stringify(messages)}${tools.length > 0 ? JSON.stringify(tools) : ""}`
  return {
    bytes: body.length,
    tokens: estimateTokenCount(read),
    messages: messages.length,
    tools: tools.length,
  }
}
