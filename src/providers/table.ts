/** A provider that is known by its name, so that a key is all it needs. */
export type Preset = {
  kind: "anthropic" | "openai" | "openai-compatible" | "google" | "offline"
  base_url?: string
  /** The environment variables that usually hold its key, the likeliest first. */
  variables: string[]
  key_needed: boolean
  /** The model that agents get; unset where it depends on what its owner has installed. */
  model?: string
  /** Its name in the price list, where it is there under another. */
  listed_as?: string
  /** It runs on its owner's machines: nothing to pay. */
  local?: true
  /** Another name of one above: not listed unless it is configured. */
  alias?: true
}

const hosted = (base_url: string, model: string, variables: string[], listed_as?: string): Preset => ({
  kind: "openai-compatible",
  base_url,
  variables,
  key_needed: true,
  model,
  ...(listed_as ? { listed_as } : {}),
})

const local = (base_url: string): Preset => ({
  kind: "openai-compatible",
  base_url,
  variables: [],
  key_needed: false,
  local: true,
})

/**
 * The providers known by name, in the order in which one with a key is preferred where none is named. Any of it can
 * be said otherwise under [providers.<name>].
 */
export const presets: Record<string, Preset> = {
  anthropic: {
    kind: "anthropic",
    variables: ["ANTHROPIC_API_KEY"],
    key_needed: true,
    model: "claude-sonnet-5",
  },
  openai: { kind: "openai", variables: ["OPENAI_API_KEY"], key_needed: true, model: "gpt-5.4" },
  google: {
    kind: "google",
    variables: ["GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_API_KEY"],
    key_needed: true,
    model: "gemini-3.5-flash",
  },
  gemini: {
    kind: "google",
    variables: ["GEMINI_API_KEY"],
    key_needed: true,
    model: "gemini-3.5-flash",
    listed_as: "google",
    alias: true,
  },
  openrouter: hosted("https://openrouter.ai/api/v1", "openrouter/auto", ["OPENROUTER_API_KEY"]),
  groq: hosted("https://api.groq.com/openai/v1", "openai/gpt-oss-120b", ["GROQ_API_KEY"]),
  deepseek: hosted("https://api.deepseek.com/v1", "deepseek-v4-flash", ["DEEPSEEK_API_KEY"]),
  mistral: hosted("https://api.mistral.ai/v1", "mistral-medium-latest", ["MISTRAL_API_KEY"]),
  together: hosted("https://api.together.xyz/v1", "openai/gpt-oss-120b", [
    "TOGETHER_API_KEY",
    "TOGETHER_AI_API_KEY",
  ]),
  xai: hosted("https://api.x.ai/v1", "grok-4.3", ["XAI_API_KEY"]),
  moonshot: hosted("https://api.moonshot.ai/v1", "kimi-k2.6", ["MOONSHOT_API_KEY"], "moonshotai"),
  zhipu: hosted(
    "https://open.bigmodel.cn/api/paas/v4",
    "glm-5.2",
    ["ZHIPU_API_KEY", "ZHIPUAI_API_KEY"],
    "zai",
  ),
  zai: hosted("https://api.z.ai/api/paas/v4", "glm-5.2", ["ZAI_API_KEY"]),
  dashscope: hosted(
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "qwen3.7-plus",
    ["DASHSCOPE_API_KEY"],
    "alibaba",
  ),
  minimax: hosted("https://api.minimax.io/v1", "MiniMax-M3", ["MINIMAX_API_KEY"]),
  ollama: local("http://127.0.0.1:11434/v1"),
  lmstudio: local("http://127.0.0.1:1234/v1"),
  llamacpp: { ...local("http://127.0.0.1:8080/v1"), model: "default" },
  vllm: local("http://127.0.0.1:8000/v1"),
  custom: { kind: "openai-compatible", variables: [], key_needed: false },
  offline: { kind: "offline", variables: [], key_needed: false, model: "echo", local: true },
}
