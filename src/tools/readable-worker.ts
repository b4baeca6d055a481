/**
 * Turns a page into markdown in a thread of its own, which ends with the page: whoever started it can stop it, and
 * nothing that one page did to the parsers meets the next.
 */
import { Readability } from "@mozilla/readability"
import { parseHTML } from "linkedom"
import { toMarkdown } from "./markdown.ts"
import { toPlain } from "./plain.ts"
import type { Converted, Page } from "./readable.ts"

declare const self: Worker

/** An article of fewer characters is taken for a mistake of the extraction, and the whole page is shown. */
const article_chars_min = 250

self.onmessage = async ({ data }: MessageEvent<Page>) => self.postMessage(await convert(data))

async function convert(page: Page): Promise<Converted> {
  const plain = () => ({ title: titleIn(page.html), text: toPlain(page.html) })
  if (page.format === "text") return plain()
  try {
    return await extract(page)
  } catch (thrown) {
    // Nesting that overflows a parser's stack, or what it cannot make a document of: its text is still there.
    return { ...plain(), note: `the parser gave up: ${thrown instanceof Error ? thrown.name : "it failed"}` }
  }
}

const titleIn = (html: string) =>
  toPlain(/<title[^>]{0,200}>([^<]{0,500})/i.exec(html.slice(0, 100_000))?.[1] ?? "")

async function extract({ html, url }: Page): Promise<Converted> {
  const document = parse(html)
  const base = baseOf(document, url)
  const title = document.title
  // The element itself: writing and reading it once more would take as long as the rest.
  const article = new Readability<HTMLElement>(document, {
    charThreshold: article_chars_min,
    // The language of code is a class.
    keepClasses: true,
    serializer: (node) => node as HTMLElement,
  }).parse()
  const found = (article?.textContent ?? "").trim().length >= article_chars_min
  // Readability takes the document apart, so the whole page is read anew.
  const content = (found && article?.content) || parse(html).body
  return { title: (found && article?.title) || title, text: await toMarkdown(content, base) }
}

const parse = (html: string): Document =>
  parseHTML(/<html/i.test(html) ? html : `<html><body>${html}</body></html>`).document

/** Relative links start from the page, or from where it says. */
function baseOf(document: Document, url: string): string {
  const href = document.querySelector("base[href]")?.getAttribute("href") ?? url
  return URL.canParse(href, url) ? new URL(href, url).href : url
}
