/** A headless Chromium that opens the control page. One process serves all views of a test file. */
import { AppError } from "../../src/base/errors.ts"
import { connect } from "../../src/client/client.ts"
import type { Started } from "../harness.ts"

export type Page = AsyncDisposable & {
  /** What the browser complained of: refused by the policy, not found, thrown. */
  complaints: string[]
  /** Every address that was asked for, and every socket. */
  requested: string[]
  goto(url: string): Promise<void>
  read<T>(expression: string): Promise<T>
  /** Resolves once the expression is true in the page. */
  until(expression: string): Promise<void>
  click(selector: string): Promise<void>
  /** Writes into what has the focus. */
  write(text: string): Promise<void>
  press(key: string): Promise<void>
}

export async function openPage(): Promise<Page> {
  const path = Bun.which("chromium")
  if (!path) throw new AppError("not_found", { what: "chromium" })
  // Its own sandbox needs rights that a container rarely gives; what it opens here is our own.
  const backend = { type: "chrome" as const, url: false as const, path, argv: ["--no-sandbox"] }
  const view = new Bun.WebView({ width: 1000, height: 700, backend })
  await view.navigate("about:blank")
  const complaints: string[] = []
  const requested: string[] = []
  const on = <T>(event: `${string}.${string}`, listener: (data: T) => void) =>
    view.addEventListener(event, (message) => listener((message as unknown as { data: T }).data))
  on<{ entry: { level: string; text: string } }>("Log.entryAdded", ({ entry }) => {
    if (entry.level === "error") complaints.push(entry.text)
  })
  on<object>("Runtime.exceptionThrown", (exception) => complaints.push(JSON.stringify(exception)))
  on<{ request: { url: string } }>("Network.requestWillBeSent", ({ request }) => requested.push(request.url))
  on<{ url: string }>("Network.webSocketCreated", ({ url }) => requested.push(url))
  for (const domain of ["Log", "Runtime", "Network"]) await view.cdp(`${domain}.enable`)
  return {
    complaints,
    requested,
    goto: (url) => view.navigate(url),
    read: (expression) => view.evaluate(expression),
    until: (expression) => view.evaluate(untilTrue(expression)),
    click: (selector) => view.click(selector),
    write: (text) => view.type(text),
    press: (key) => view.press(key),
    async [Symbol.asyncDispose]() {
      view.close()
    },
  }
}

const untilTrue = (expression: string) => `new Promise((resolve) => {
  const look = () => (${expression}) ? resolve() : requestAnimationFrame(look)
  look()
})`

/** What `weft open` prints. */
export async function codeAddress({ url, token }: Started): Promise<string> {
  await using client = await connect({ url, token, reconnect: false })
  const { code } = await client.call("token.code")
  return `${url}/#code=${code}`
}
