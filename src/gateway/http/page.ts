import client from "../../client/client.gen.js" with { type: "text" }
import page from "../../ui/page.html" with { type: "text" }

const headers = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cache-control": "no-cache",
}

/**
 * Nothing but what this gateway serves may run or be reached from the page. Its own script and style are named by their
 * hashes, so that nothing that finds its way into the page runs; a string never becomes HTML.
 */
const policy = (html: string) =>
  [
    "default-src 'none'",
    `script-src 'self' ${inlineHashes(html, "script")}`,
    `style-src ${inlineHashes(html, "style")}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ")

const inlineHashes = (html: string, tag: "script" | "style"): string =>
  [...html.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, "g"))]
    .map(([, text = ""]) => `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`)
    .join(" ")

/** The page is no secret: it authenticates on the socket. */
export function controlPage(): Response {
  const html = page as unknown as string
  return new Response(html, {
    headers: {
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy(html),
    },
  })
}

/** The client library as one module, for browsers. */
export const clientScript = (): Response =>
  new Response(client as unknown as string, {
    headers: { ...headers, "content-type": "text/javascript; charset=utf-8" },
  })
