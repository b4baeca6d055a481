import client from "../../client/client.gen.js" with { type: "text" }
import page from "../../ui/page.html" with { type: "text" }

const headers = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cache-control": "no-cache",
}

/** Nothing but what this gateway serves may run or be reached from the page. */
const policy =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The page is no secret: it authenticates on the socket. */
export const controlPage = (): Response =>
  new Response(page as unknown as string, {
    headers: { ...headers, "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  })

/** The client library as one module, for browsers. */
export const clientScript = (): Response =>
  new Response(client as unknown as string, {
    headers: { ...headers, "content-type": "text/javascript; charset=utf-8" },
  })
