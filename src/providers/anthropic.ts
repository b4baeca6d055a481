import { openWire, versioned, WireConfig } from "./ai-sdk.ts"
import { defineProvider } from "./provider.ts"

/** Anthropic's Messages API, and whatever else speaks it. */
export const anthropic = defineProvider({
  kind: "anthropic",
  config: WireConfig,
  open: (config) =>
    openWire(
      config,
      {
        takes: (mime) => /^image\/(png|jpeg|gif|webp)$|^application\/pdf$/.test(mime),
        result_images: "inside",
        reasoning_back: true,
        cache_mark: { anthropic: { cacheControl: { type: "ephemeral" } } },
      },
      async (fetch) => {
        const { createAnthropic } = await import("@ai-sdk/anthropic")
        return createAnthropic({
          baseURL: versioned(config.base_url ?? "https://api.anthropic.com", "v1"),
          apiKey: config.api_key ?? "",
          headers: config.headers,
          fetch,
        })
      },
    ),
})
