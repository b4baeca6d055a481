import { expect, test } from "bun:test"
import { install } from "./installed.ts"

const answers: Record<string, () => Response> = {
  "/things": () => Response.json({ items: [{ name: "a", "x/y~z": 9007199254740993n.toString() }] }),
  "/number": () => new Response('{"id":9007199254740993}'),
  "/page": () => new Response("<html>"),
  "/gone": () => new Response("no such thing", { status: 410 }),
}

function startServer() {
  const asked: { method: string; headers: Headers; body: string }[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      asked.push({ method: request.method, headers: request.headers, body: await request.text() })
      return answers[new URL(request.url).pathname]?.() ?? Response.json(asked.at(-1)!.body)
    },
  })
  const place = `127.0.0.1:${server.port}`
  return { asked, place, url: `http://${place}`, [Symbol.asyncDispose]: () => server.stop(true) }
}

test.each([
  ["", '{"items":[{"name":"a","x/y~z":"9007199254740993"}]}'],
  ["/items/0/name", '"a"'],
  ["/items/0/x~1y~0z", '"9007199254740993"'],
])("the part at %p is %s", async (pointer, expected) => {
  await using server = startServer()
  await using plugin = await install("http-json", [`http:${server.place}`])
  expect(await plugin.call("http-json_get", { url: `${server.url}/things`, pointer })).toBe(expected)
})

test("numbers keep all of their digits", async () => {
  await using server = startServer()
  await using plugin = await install("http-json", [`http:${server.place}`])
  expect(await plugin.call("http-json_get", { url: `${server.url}/number` })).toBe('{"id":9007199254740993}')
})

test.each([
  ["/things", "/items/1", "nothing at /items/1"],
  ["/things", "/items/00", "nothing at"],
  ["/things", "items", "nothing at"],
  ["/page", "", "no JSON: <html>"],
  ["/gone", "", "status 410: no such thing"],
])("%s at %p is a failure that says why", async (path, pointer, why) => {
  await using server = startServer()
  await using plugin = await install("http-json", [`http:${server.place}`])
  expect(await plugin.call("http-json_get", { url: server.url + path, pointer })).toContain(why)
})

test("what is posted is JSON, with the headers that were given and a secret that the plugin never saw", async () => {
  await using server = startServer()
  const grants = [`http:${server.place}`, "secret:HTTP_JSON_TOKEN"]
  const secrets = { HTTP_JSON_TOKEN: "k-3141592653" }
  await using plugin = await install("http-json", grants, { secrets })
  const input = { url: `${server.url}/`, headers: { "X-Trace": "1" }, body: { a: [1, null] } }
  await plugin.call("http-json_post", { ...input, with_token: true })
  expect(server.asked[0]).toMatchObject({ method: "POST", body: '{"a":[1,null]}' })
  expect(server.asked[0]!.headers.get("authorization")).toBe("Bearer k-3141592653")
  expect(server.asked[0]!.headers.get("content-type")).toBe("application/json")
  expect(server.asked[0]!.headers.get("x-trace")).toBe("1")
  await plugin.call("http-json_post", input)
  expect(server.asked[1]!.headers.get("authorization")).toBe(null)
})

test("a token that is not granted is not sent, and nothing else either", async () => {
  await using server = startServer()
  await using plugin = await install("http-json", [`http:${server.place}`])
  const said = await plugin.call("http-json_get", { url: `${server.url}/things`, with_token: true })
  expect(said).toContain("no token for it")
  expect(server.asked).toEqual([])
})

test("another host than the granted one is not asked", async () => {
  await using server = startServer()
  await using plugin = await install("http-json", ["http:api.example.com"])
  expect(await plugin.call("http-json_get", { url: `${server.url}/things` })).toContain("not granted")
  expect(server.asked).toEqual([])
})
