import { Type } from "@sinclair/typebox"
import type { ToolsConfig } from "./config.ts"
import { brave_url, duckduckgo_url, searchBrave, searchDuckDuckGo, searchSearxng } from "./search-engines.ts"
import { defineTool } from "./tool.ts"
import { fenced } from "./web-text.ts"

export const webSearch = defineTool({
  name: "web_search",
  description: "Search the web.",
  effect: "network",
  group: "web",
  params: Type.Object(
    {
      query: Type.String({ minLength: 1, maxLength: 400, description: "The words." }),
      count: Type.Integer({ default: 5, minimum: 1, maximum: 10, description: "Most results." }),
    },
    { additionalProperties: false },
  ),
  async targets(_params, { config }) {
    const { toHostTarget, toPlace } = await import("../security/web/resolve.ts")
    return [toHostTarget(toPlace(new URL(engineUrl(config.web_search))))]
  },
  /** Where the operator's own search answers is his to say, on this machine or not. */
  opens(host, port, { web_search: { base_url } }) {
    if (base_url === undefined) return false
    const url = new URL(base_url)
    const own_port = url.port || (url.protocol === "https:" ? 443 : 80)
    return url.hostname.replace(/\.$/, "") === host && Number(own_port) === port
  },
  async run({ query, count }, { fetch, signal, config }) {
    const { api_key, base_url } = config.web_search
    const search = { query, count, signal }
    const engine = engineOf(config.web_search)
    const found =
      engine === "searxng"
        ? await searchSearxng(fetch, search, needed(base_url, "base_url"))
        : engine === "brave"
          ? await searchBrave(fetch, search, needed(api_key, "api_key"))
          : await searchDuckDuckGo(fetch, search)
    if (found.length === 0) return `Nothing was found for "${query}". Try fewer or other words.`
    const lines = found.map(({ title, url, snippet }, i) => `${i + 1}. ${title}\n   ${url}\n   ${snippet}`)
    return fenced("results of a web search", lines.join("\n"))
  },
})

type WebSearchConfig = ToolsConfig["web_search"]

function engineOf({ engine, base_url, api_key }: WebSearchConfig): "brave" | "searxng" | "duckduckgo" {
  if (engine) return engine
  return base_url ? "searxng" : api_key ? "brave" : "duckduckgo"
}

/** Where a search goes, for the rules, and for whoever opens the operator's own SearXNG on this machine. */
export function engineUrl(config: WebSearchConfig): string {
  const engine = engineOf(config)
  if (engine === "searxng") return needed(config.base_url, "base_url")
  if (engine === "brave") needed(config.api_key, "api_key")
  return engine === "brave" ? brave_url : duckduckgo_url
}

function needed(value: string | undefined, name: string): string {
  if (value) return value
  throw new Error(`The search is not set up: the operator has to set web_search.${name} under [tools].`)
}
