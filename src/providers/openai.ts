import { type Static, Type } from "@sinclair/typebox"
import { openWire, type Traits, versioned } from "./ai-sdk.ts"
import { provider_fields } from "./config.ts"
import { defineProvider } from "./provider.ts"

const OpenAiConfig = Type.Object({
  api: Type.Optional(
    Type.Union([Type.Literal("responses"), Type.Literal("chat")], {
      description: "Which of OpenAI's two APIs; unset: responses.",
    }),
  ),
  ...provider_fields,
})
type OpenAiConfig = Static<typeof OpenAiConfig>

/** OpenAI's own API, in its two forms. */
export const openai = defineProvider({
  kind: "openai",
  config: OpenAiConfig,
  open: (config) =>
    openWire(config, traitsOf(config), async (fetch) => {
      const { createOpenAI } = await import("@ai-sdk/openai")
      const sdk = createOpenAI({
        baseURL: versioned(config.base_url ?? "https://api.openai.com", "v1"),
        apiKey: config.api_key ?? "",
        headers: config.headers,
        fetch,
      })
      return config.api === "chat" ? sdk.chat : sdk.responses
    }),
})

function traitsOf({ api }: OpenAiConfig): Traits {
  const takes = (mime: string) => /^image\/(png|jpeg|gif|webp)$|^application\/pdf$/.test(mime)
  if (api === "chat") return { takes, result_images: "after", reasoning_back: false }
  return {
    takes,
    result_images: "inside",
    reasoning_back: true,
    // The conversation is kept here, not there: reasoning travels encrypted instead of by reference.
    options: { openai: { store: false } },
    // Unlike the chat API, this one is strict by default, and then refuses schemas with optional properties.
    strict_tools: false,
  }
}
