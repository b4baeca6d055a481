import { AppError } from "../base/errors.ts"
import { openWire, versioned, WireConfig } from "./ai-sdk.ts"
import { defineProvider } from "./provider.ts"

/**
 * Services whose chat API refuses what others need, by their host or by the name they are configured under. Mistral
 * answers 422 to `stream_options` (it sends usage unasked), to reasoning in what was said before, and to a user's message right after a tool's; the
 * others answer 400 to a past tool call without the reasoning that led to it.
 */
const usage_unasked = /mistral/i
const no_user_after_tool = /mistral/i
const reasoning_needed = /deepseek|moonshot|kimi|bigmodel|zhipu|\bz\.?ai\b/i

/** The chat completions API as many servers speak it, those on this machine among them. */
export const openaiCompatible = defineProvider({
  kind: "openai-compatible",
  config: WireConfig,
  open(config) {
    const { name, base_url, api_key, headers } = config
    if (!base_url) {
      throw new AppError("provider_failed", {
        provider: name,
        retryable: false,
        reason: `[providers.${name}] needs a base_url.`,
      })
    }
    const service = `${name} ${new URL(base_url).hostname}`
    return openWire(
      config,
      {
        takes: (mime) => mime.startsWith("image/"),
        result_images: no_user_after_tool.test(service) ? "nowhere" : "after",
        reasoning_back: reasoning_needed.test(service) && "needed",
      },
      async (fetch) => {
        const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible")
        return createOpenAICompatible({
          name: "openaiCompatible",
          baseURL: rooted(base_url),
          headers,
          includeUsage: !usage_unasked.test(service),
          fetch,
          ...(api_key ? { apiKey: api_key } : {}),
        }).chatModel
      },
    )
  },
})

/** Only an address without any path gets the usual one: these servers' paths are their own. */
export const rooted = (base_url: string) =>
  new URL(base_url).pathname === "/" ? versioned(base_url, "v1") : base_url
