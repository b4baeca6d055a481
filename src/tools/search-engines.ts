import type { Fetched, GuardedFetch } from "../security/web/fetch.ts"
import { toPlain } from "./plain.ts"

export type Found = { title: string; url: string; snippet: string }

export type Search = { query: string; count: number; signal: AbortSignal }

/** Where each engine answers; of a SearXNG that is what the operator says. */
export const brave_url = "https://api.search.brave.com/res/v1/web/search"
export const duckduckgo_url = "https://html.duckduckgo.com/html/"

/** An answer of results only; more is not one. */
const answer_bytes_max = 4_194_304

export async function searchBrave(
  fetch: GuardedFetch,
  { query, count, signal }: Search,
  api_key: string,
  url = brave_url,
): Promise<Found[]> {
  const headers = { accept: "application/json", "x-subscription-token": api_key }
  const asked = `${url}?${new URLSearchParams({ q: query, count: `${count}` })}`
  const answer = parseJson(await fetch({ url: asked, headers, signal, bytes_max: answer_bytes_max }), "Brave")
  return entries(field(field(answer, "web"), "results"), "description", count)
}

/** It answers JSON only where its settings list "json" among the formats. */
export async function searchSearxng(
  fetch: GuardedFetch,
  { query, count, signal }: Search,
  base_url: string,
): Promise<Found[]> {
  const url = new URL(`${base_url.replace(/\/+$/, "")}/search`)
  url.search = `${new URLSearchParams({ q: query, format: "json" })}`
  const headers = { accept: "application/json" }
  const answer = parseJson(
    await fetch({ url: url.href, headers, signal, bytes_max: answer_bytes_max }),
    'SearXNG (is "json" among its search.formats?)',
  )
  return entries(field(answer, "results"), "content", count)
}

export async function searchDuckDuckGo(
  fetch: GuardedFetch,
  { query, count, signal }: Search,
  url = duckduckgo_url,
): Promise<Found[]> {
  const headers = { accept: "text/html", "accept-language": "en" }
  const asked = `${url}?${new URLSearchParams({ q: query })}`
  const fetched = await fetch({ url: asked, headers, signal, bytes_max: answer_bytes_max })
  const html = textOf(fetched, "DuckDuckGo")
  // 202 and a form with pictures is what it gives to those that it takes for robots.
  if (fetched.status !== 200 || /anomaly-modal|anomaly\.js/.test(html))
    throw new Error("DuckDuckGo wants a person now; try again in some minutes, or use another engine.")
  return duckDuckGoResults(html, count)
}

/** Each result is a link of the class result__a, followed by its result__snippet; nothing beyond the count is read. */
export function duckDuckGoResults(html: string, count: number): Found[] {
  const found: Found[] = []
  const mark = 'class="result__a"'
  for (let at = html.indexOf(mark), looked = 0; at !== -1 && looked < 100; looked++) {
    const next = html.indexOf(mark, at + mark.length)
    const part = html.slice(html.lastIndexOf("<", at), next === -1 ? undefined : next).slice(0, 16_384)
    at = next
    const link = /^<a\b([^<>]{0,4000})>([\s\S]{0,4000}?)<\/a>/.exec(part)
    const href = /href="([^"]{1,4000})"/.exec(link?.[1] ?? "")?.[1]
    const url = href && unwrapped(toPlain(href))
    if (!url) continue
    const snippet = /class="result__snippet"[^<>]{0,4000}>([\s\S]{0,8000}?)<\/(?:a|div|td)>/.exec(part)
    found.push({ title: lineOf(link?.[2]), url, snippet: lineOf(snippet?.[1]) })
    if (found.length === count) break
  }
  return found
}

/** Results lead through a page of the engine that carries where they go; advertisements lead elsewhere. */
function unwrapped(href: string): string | undefined {
  if (!URL.canParse(href, duckduckgo_url)) return
  const link = new URL(href, duckduckgo_url)
  if (!/(^|\.)duckduckgo\.com$/.test(link.hostname)) return webUrl(link.href)
  return link.pathname === "/l/" ? webUrl(link.searchParams.get("uddg") ?? "") : undefined
}

/** On one line, whatever was in it. */
function webUrl(text: string): string | undefined {
  if (text.length > 2000 || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return
  return new URL(text).href
}

/** The common shape of Brave's and SearXNG's results; what is not of it is left out. */
function entries(list: unknown, text: string, count: number): Found[] {
  if (!Array.isArray(list)) return []
  const found = list.flatMap((entry) => {
    const url = webUrl(`${field(entry, "url")}`)
    return url ? [{ title: lineOf(field(entry, "title")), url, snippet: lineOf(field(entry, text)) }] : []
  })
  return found.slice(0, count)
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined

/** Engines mark the words that were found with tags. */
const lineOf = (html: unknown): string =>
  typeof html === "string" ? toPlain(html.slice(0, 2000)).replace(/\s+/g, " ").slice(0, 500) : ""

function textOf({ status, body }: Fetched, engine: string): string {
  if (status === 401 || status === 403)
    throw new Error(`${engine} refused the request (${status}); is its key right?`)
  if (status === 429) throw new Error(`${engine} says that there were too many searches; try again later.`)
  if (status >= 300) throw new Error(`${engine} could not search (status ${status}).`)
  return new TextDecoder().decode(body)
}

function parseJson(fetched: Fetched, engine: string): unknown {
  const text = textOf(fetched, engine)
  if (fetched.cut) throw new Error(`${engine} answered with more than can be read.`)
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw new Error(`${engine} did not answer in JSON.`, { cause: thrown })
  }
}
