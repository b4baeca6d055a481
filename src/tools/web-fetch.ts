import { Type } from "@sinclair/typebox"
import type { Fetched } from "../security/web/fetch.ts"
import { toReadable } from "./readable.ts"
import { defineTool } from "./tool.ts"
import { fenced } from "./web-text.ts"

const bytes_max = 10_485_760
/** Longer JSON is shown as it came: laying it out would take the event loop's time. */
const json_chars_max = 262_144
const url_chars_max = 500
/** Decoded before others get a turn. */
const piece_bytes = 1 << 20

const accept =
  "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, application/json;q=0.9, */*;q=0.5"

export const webFetch = defineTool({
  name: "web_fetch",
  description: "Read a web page or text file by its URL.",
  effect: "network",
  group: "web",
  params: Type.Object(
    {
      url: Type.String({ minLength: 1, maxLength: 8192, description: "http or https." }),
      format: Type.Union([Type.Literal("markdown"), Type.Literal("text"), Type.Literal("raw")], {
        default: "markdown",
        description: "How to show HTML.",
      }),
      offset: Type.Integer({ default: 0, minimum: 0, description: "Character to go on from." }),
      chars_max: Type.Integer({
        default: 20_000,
        minimum: 100,
        maximum: 50_000,
        description: "Most characters to show.",
      }),
    },
    { additionalProperties: false },
  ),
  async targets({ url }) {
    // With all that connects: a start should not pay for it.
    const [{ parseUrl }, { toHostTarget, toPlace }] = await Promise.all([
      import("../security/web/fetch.ts"),
      import("../security/web/resolve.ts"),
    ])
    return [toHostTarget(toPlace(parseUrl(url)))]
  },
  async run({ url, format, offset, chars_max }, { fetch, signal }) {
    const fetched = await fetch({ url, headers: { accept }, bytes_max, signal })
    const head = `${urlOf(fetched)}\nStatus ${fetched.status}, ${sizeOf(fetched)}`
    const page = await toText(fetched, format, signal)
    if (!page) return `${head}\nThat is no text, so there is nothing to show.`
    const notes = [
      page.note ? `Only the text of it, without links: ${page.note}.` : "",
      fetched.cut ? `The page is longer than ${bytes_max} bytes; the rest was not read.` : "",
    ]
    const shown = cutAt(page.text, offset, chars_max)
    const left = page.text.length - offset - shown.length
    const rest =
      left > 0
        ? `[${left} more characters; call again with offset=${offset + shown.length}]`
        : offset > 0 && shown === ""
          ? `[The page has ${page.text.length} characters only.]`
          : ""
    const title =
      page.title && offset === 0 ? `Title: ${page.title.replace(/\s+/g, " ").slice(0, 300)}\n\n` : ""
    const body = fenced("content of a web page", `${title}${shown}`)
    return [head, ...notes, body, rest].filter((part) => part !== "").join("\n")
  },
})

const typeOf = ({ headers }: Fetched) => (headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase()

/** Nothing that a stranger worded stands outside of the marks: a type is two words, a long address is cut. */
const shownTypeOf = (fetched: Fetched) =>
  /^[\w.+-]{1,40}\/[\w.+-]{1,80}$/.test(typeOf(fetched)) ? typeOf(fetched) : "no type"

const urlOf = ({ url }: Fetched) => (url.length > url_chars_max ? `${url.slice(0, url_chars_max)}…` : url)

const sizeOf = (fetched: Fetched) =>
  `${shownTypeOf(fetched)}, ${fetched.body.length} bytes${fetched.cut ? " and more" : ""}`

type Text = { title?: string; text: string; note?: string }

/** Undefined for what is no text. */
async function toText(
  fetched: Fetched,
  format: "markdown" | "text" | "raw",
  signal: AbortSignal,
): Promise<Text | undefined> {
  const start = Buffer.from(fetched.body.subarray(0, 1024)).toString("latin1")
  const type = typeOf(fetched)
  if (!isText(type, start)) return
  const text = await decode(fetched, start)
  if (format === "raw") return { text }
  if (/^(text\/html|application\/xhtml\+xml)$/.test(type) || (type === "" && isHtml(start)))
    return toReadable({ html: text, url: fetched.url, format }, signal)
  return { text: /[/+]json$/.test(type) ? toLaidOut(text) : text }
}

const isHtml = (start: string) => /^[\s\ufeff]{0,100}<(!doctype html|html|head|body)/i.test(start)

function isText(type: string, start: string): boolean {
  if (/^text\/|[/+](json|xml|yaml|toml|javascript|ecmascript|x-ndjson|x-sh|sql|graphql)$/.test(type))
    return true
  return ["", "application/octet-stream", "binary/octet-stream"].includes(type) && !start.includes("\0")
}

/** By the header, by what the page says of itself, or UTF-8. */
async function decode({ headers, body }: Fetched, start: string): Promise<string> {
  const said =
    /charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(headers["content-type"] ?? "") ??
    /<meta[^>]{0,100}charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(start)
  const decoder = decoderFor(said?.[1] ?? "utf-8")
  const parts: string[] = []
  // Ten megabytes of what is no UTF-8 take a quarter of a second.
  for (let at = 0; at < body.length; at += piece_bytes) {
    parts.push(decoder.decode(body.subarray(at, at + piece_bytes), { stream: true }))
    await new Promise(setImmediate)
  }
  return parts.join("") + decoder.decode()
}

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label as "utf-8")
  } catch {
    // A name that nobody knows: most of the text is readable as UTF-8 anyway.
    return new TextDecoder()
  }
}

/** JSON with indentation where that changes nothing else: numbers beyond 2^53 would not come back. */
function toLaidOut(text: string): string {
  if (text.length > json_chars_max || /\d{16}|\de[+\d]/i.test(text) || isDeep(text)) return text
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2)
  } catch {
    // It says that it is JSON and is not; what it is, its reader can see.
    return text
  }
}

/** Whether there are more than 200 levels; brackets in strings count too, which does no harm. */
function isDeep(text: string): boolean {
  let depth = 0
  for (const letter of text) {
    if (letter === "[" || letter === "{") depth += 1
    else if (letter === "]" || letter === "}") depth -= 1
    if (depth > 200) return true
  }
  return false
}

/** At most `length` characters, and no half of a pair. */
function cutAt(text: string, offset: number, length: number): string {
  const end = offset + length
  const last = text.charCodeAt(end - 1)
  return text.slice(offset, last >= 0xd800 && last <= 0xdbff ? end - 1 : end)
}
