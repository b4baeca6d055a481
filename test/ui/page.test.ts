import { afterAll, expect, test } from "bun:test"
import { connect } from "../../src/client/client.ts"
import { methods } from "../../src/registry.ts"
import page from "../../src/ui/page.html" with { type: "text" }
import { askOne } from "../gateway/ask-one.ts"
import { ask, call, makeToken } from "../gateway/client.ts"
import { checked, openSocket, startGateway, startModel } from "../harness.ts"
import { needs } from "../needs.ts"
import { codeAddress, openPage } from "./browser.ts"

const html = page as unknown as string
const browser = needs({ command: "chromium" })
const browser_ms = 60_000
const last = "document.querySelector('#messages > li:last-child')"
const locked =
  "['#content:disabled', '#send[hidden]', '#stop[hidden]'].map((one) => document.querySelector(one) !== null)"
const is_in_room = "document.activeElement?.id === 'content'"

afterAll(() => Bun.WebView.closeAll())

test("the page is whole in itself and never makes HTML of text", () => {
  const without_namespace = html.replaceAll("http://www.w3.org/2000/svg", "")
  expect(without_namespace).not.toMatch(/https?:|src=|url\(|@import|<link(?! rel="icon" href="data:)/)
  expect(html).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|localStorage/)
})

test("the policy lets exactly the page's own script and style run", async () => {
  await using gateway = await startGateway()
  const response = await fetch(gateway.url)
  const policy = response.headers.get("content-security-policy")
  expect(await response.text()).toBe(html)
  for (const tag of ["script", "style"]) {
    const text = new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? ""
    expect(policy).toContain(`'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`)
  }
  expect(policy).not.toContain("unsafe")
})

browser(
  "a one-time address signs in, leaves no code behind and chats",
  async () => {
    await using model = startModel(() => ["Hello ", "**you**\n", "```js\nlet x\n```\nbye"])
    await using gateway = await startGateway({ model })
    await using view = await openPage()
    await view.goto(await codeAddress(gateway))
    await view.until(is_in_room)
    expect(await view.read("location.href")).toBe(`${gateway.url}/`)
    expect(await view.read<string>("sessionStorage.weft_token")).toStartWith("weft_")
    await view.write("first words")
    await view.press("Enter")
    await view.until(`${last}?.querySelector('.note')?.textContent.includes('tokens in')`)
    expect(await view.read(`${last}.querySelector('strong').textContent`)).toBe("you")
    expect(await view.read(`${last}.querySelector('pre').textContent`)).toBe("let x\n")
    await view.until(
      "document.querySelector('#sessions [aria-current]')?.textContent.includes('first words')",
    )
    await view.goto(`${gateway.url}/`)
    await view.until(`${last}?.textContent.includes('Hello you')`)
    expect(view.complaints).toEqual([])
  },
  browser_ms,
)

browser(
  "while an answer streams nothing can be written, and Stop ends the turn",
  async () => {
    const gate = Promise.withResolvers<void>()
    await using model = startModel(() => ["half an answer", { until: gate.promise }])
    await using gateway = await startGateway({ model })
    await using view = await openPage()
    await view.goto(await codeAddress(gateway))
    await view.until(is_in_room)
    await view.write("go on for ever")
    await view.press("Enter")
    await view.until(`${last}?.textContent.includes('half an answer')`)
    expect(await view.read(locked)).toEqual([true, true, false])
    await view.click("#stop")
    await view.until(`${last}.textContent.includes('aborted')`)
    expect(await view.read(locked)).toEqual([false, false, true])
    gate.resolve()
    expect(model.aborted).toBe(1)
  },
  browser_ms,
)

browser(
  "what a model says is text, whatever it looks like",
  async () => {
    const hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    await using model = startModel(() => [hostile])
    await using gateway = await startGateway({ model })
    await using view = await openPage()
    await view.goto(await codeAddress(gateway))
    await view.until(is_in_room)
    await view.write("hello")
    await view.press("Enter")
    await view.until(`${last}?.querySelector('.note')?.textContent.includes('tokens in')`)
    expect(await view.read<string>(`${last}.textContent`)).toContain(hostile)
    expect(await view.read("[document.title, document.images.length]")).toEqual(["Weft", 0])
  },
  browser_ms,
)

browser(
  "nothing in the address makes the page connect elsewhere",
  async () => {
    await using elsewhere = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") })
    await using gateway = await startGateway()
    await using view = await openPage()
    const foreign = encodeURIComponent(`ws://127.0.0.1:${elsewhere.port}/ws`)
    const words = ["url", "gatewayUrl", "gateway", "ws", "host", "server", "origin", "token"]
    const query = words.map((word) => `${word}=${foreign}`).join("&")
    const [address, code] = (await codeAddress(gateway)).split("#")
    await view.goto(`${address}?${query}#${query}&${code}`)
    await view.until(is_in_room)
    const origins = view.requested.map((url) => new URL(url)).filter(({ protocol }) => protocol !== "data:")
    expect(new Set(origins.map(({ host }) => host))).toEqual(new Set([`127.0.0.1:${gateway.port}`]))
    expect(origins.some(({ protocol }) => protocol === "ws:")).toBe(true)
    expect(await view.read("location.search + location.hash")).toBe("")
  },
  browser_ms,
)

browser(
  "a wrong token and a used code are refused in words",
  async () => {
    await using gateway = await startGateway()
    await using view = await openPage()
    const address = await codeAddress(gateway)
    await view.goto(address)
    await view.until(is_in_room)
    await view.click("#leave")
    await view.until("!gate.hidden && room.hidden")
    await view.goto("about:blank")
    await view.goto(address)
    await view.until("!document.querySelector('#error').hidden")
    expect(await view.read<string>("document.querySelector('#error').textContent")).toContain("weft open")
    await view.click("#token")
    await view.write("weft_wrong")
    await view.press("Enter")
    await view.until("document.querySelector('#error').textContent.includes('unauthorized')")
    expect(await view.read("sessionStorage.length")).toBe(0)
    await view.click("#token")
    await view.write(gateway.token)
    await view.press("Enter")
    await view.until(is_in_room)
    expect(await view.read("document.querySelector('#error').hidden")).toBe(true)
  },
  browser_ms,
)

browser(
  "where no token is wanted none is asked for, and a model's failure is told in words",
  async () => {
    await using model = startModel(() => [{ status: 400 }])
    await using gateway = await startGateway({ model, config: '[gateway]\nauth = "none"\n' })
    await using view = await openPage()
    await view.goto(gateway.url)
    await view.until(is_in_room)
    await view.write("hello")
    await view.press("Enter")
    await view.until(`${last}?.querySelector('.bad') !== null`)
    expect(await view.read<string>(`${last}.textContent`)).toContain("scripted failure")
    expect(await view.read<string>(`${last}.textContent`)).toContain("(provider_failed)")
    await view.until(is_in_room)
  },
  browser_ms,
)

browser(
  "what is said elsewhere in the same session appears by itself",
  async () => {
    await using model = startModel(() => ["an answer to somebody else"])
    await using gateway = await startGateway({ model })
    await using client = await connect({ url: gateway.url, token: gateway.token, reconnect: false })
    await client.chat("first").result
    await using view = await openPage()
    await view.goto(await codeAddress(gateway))
    await view.until(is_in_room)
    await client.chat("second").result
    await view.until("document.querySelectorAll('#messages > li').length === 4")
    expect(await view.read<string>(`${last}.textContent`)).toBe("an answer to somebody else")
  },
  browser_ms,
)

const asks = "document.querySelectorAll('#asks pre')"
const button = (text: string) =>
  `[...document.querySelectorAll('#asks button:enabled')].find((one) => one.textContent === ${JSON.stringify(text)})`
const asking = { methods: [...methods.map(checked), askOne] }

browser(
  "what waits for a person is shown whole, as text, and answered by a button",
  async () => {
    await using gateway = await startGateway(asking)
    await using view = await openPage()
    await view.goto(await codeAddress(gateway))
    await view.until(is_in_room)
    const hostile = `<b onclick=x>rm</b> ${"x".repeat(3_000)}\u202e the end`
    const start = (text: string) => ask<{ decision: string }>(gateway, "test.ask", { text })
    for (const [text, decision, lasts] of [
      ["Allow once", "allow", undefined],
      ["Allow for this session", "allow", "default:ws:default:main"],
      ["Allow always", "allow", null],
      ["Deny", "deny", undefined],
    ] as const) {
      const decided = start(`${hostile} ${text}`)
      await view.until(`${asks}.length === 1`)
      const shown = await view.read<string>(`${asks}[0].textContent`)
      expect(shown).toContain(`<b onclick=x>rm</b> ${"x".repeat(3_000)}`)
      expect(shown).toContain(`the end ${text}`)
      expect(shown).not.toContain("\u202e")
      expect(await view.read("document.querySelectorAll('#asks b').length")).toBe(0)
      // For a moment nothing can be hit that has just come under the pointer.
      await view.until(`${button(text)} !== undefined`)
      await view.read(`${button(text)}.click()`)
      expect(await decided).toMatchObject({ decision })
      await view.until("document.querySelector('#asks').hidden")
      const { grants } = await ask<{ grants: { session_key: string | null }[] }>(gateway, "approval.list")
      if (lasts !== undefined) expect(grants.at(-1)).toMatchObject({ session_key: lasts })
    }
    expect(view.complaints).toEqual([])
  },
  browser_ms,
)

browser(
  "what waited before is shown, what others answered goes, and nothing can be pressed at once",
  async () => {
    await using gateway = await startGateway(asking)
    await using listening = await openSocket(gateway.ws, { token: gateway.token })
    await listening.call("event.subscribe", { topics: ["approval.*"] })
    const first = ask<{ decision: string }>(gateway, "test.ask", { text: "one" })
    await using view = await openPage()
    await view.goto(await codeAddress(gateway))
    await view.until(`${asks}.length === 1`)
    expect(await view.read<string>(`${asks}[0].textContent`)).toContain("one")
    const second = ask<{ decision: string }>(gateway, "test.ask", { text: "two" })
    await view.until(`${asks}.length === 2 && ${button("Deny")} === undefined`)
    await view.until(`${button("Deny")} !== undefined`)
    const { approvals } = await ask<{ approvals: { approval_id: string; hash: string }[] }>(
      gateway,
      "approval.list",
    )
    const { approval_id, hash } = approvals[0]!
    await call(gateway, "approval.resolve", { approval_id, hash, decision: "allow" })
    expect(await first).toMatchObject({ decision: "allow" })
    await view.until(`${asks}.length === 1 && ${button("Deny")} === undefined`)
    expect(await view.read<string>(`${asks}[0].textContent`)).toContain("two")
    await view.until(`${button("Deny")} !== undefined`)
    await view.read(`${button("Deny")}.click()`)
    expect(await second).toMatchObject({ decision: "deny", by: "operator (browser)" })
    await view.click("#leave")
    await view.until("document.querySelector('#asks').hidden && !gate.hidden")
  },
  browser_ms,
)

browser(
  "with a token that may not approve nothing is asked",
  async () => {
    await using gateway = await startGateway(asking)
    const { token } = await makeToken(gateway, { scopes: ["chat"] })
    await using view = await openPage()
    await view.goto(gateway.url)
    await view.until("!gate.hidden")
    await view.click("#token")
    await view.write(token)
    await view.press("Enter")
    await view.until(is_in_room)
    expect(await ask(gateway, "test.ask", {})).toMatchObject({ decision: "deny", by: "nobody" })
    expect(await view.read("document.querySelector('#asks').hidden")).toBe(true)
    expect(view.complaints).toEqual([])
  },
  browser_ms,
)
