import { openWire, versioned, WireConfig } from "./ai-sdk.ts"
import { defineProvider } from "./provider.ts"

/** Google's Gemini API. */
export const google = defineProvider({
  kind: "google",
  config: WireConfig,
  open: (config) =>
    openWire(
      config,
      {
        takes: (mime) => /^(image|audio|video)\/|^application\/pdf$/.test(mime),
        result_images: "inside",
        reasoning_back: true,
      },
      async (fetch) => {
        const { createGoogle } = await import("@ai-sdk/google")
        return createGoogle({
          baseURL: versioned(config.base_url ?? "https://generativelanguage.googleapis.com", "v1beta"),
          apiKey: config.api_key ?? "",
          headers: config.headers,
          fetch,
        })
      },
    ),
})
