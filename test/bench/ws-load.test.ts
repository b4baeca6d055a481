import { expect } from "bun:test"
import { compileLoadClient, firstReplyMs, load, openIdle, ping, runMs } from "../../bench/load/ws-load.ts"
import { freePort } from "../../bench/servers.ts"
import { needs } from "../needs.ts"

const compiled = needs({ command: "cc", platform: "linux" })

function startEcho(answer: (id: number) => object) {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, server) =>
      server.upgrade(request, { data: undefined }) ? undefined : new Response("", { status: 426 }),
    websocket: {
      message(socket, raw) {
        const { id } = JSON.parse(raw.toString())
        socket.send('{"method":"an.event"}')
        socket.send(JSON.stringify({ id, ...answer(id) }))
      },
    },
  })
  return { port: server.port ?? 0, token: "none", [Symbol.asyncDispose]: () => server.stop(true) }
}

compiled("the load client counts answers and not events", async () => {
  await compileLoadClient()
  let answered = 0
  await using server = startEcho(() => {
    answered++
    return { result: "x".repeat(answered % 300) }
  })
  const { count } = await load(server, { sockets: 4, in_flight: 4, seconds: 0.1, request: ping })
  expect(count).toBeGreaterThan(16)
  expect(count).toBeLessThanOrEqual(answered)
})

compiled("the load client fails where the server answers with an error", async () => {
  await compileLoadClient()
  await using server = startEcho(() => ({ error: { code: -32001 } }))
  const run = load(server, { sockets: 1, in_flight: 1, seconds: 0.1, request: ping })
  await expect(run).rejects.toThrow('the server answered: {"id":1,"error":{"code":-32001}}')
})

compiled("idle sockets that the server closed are not counted as held", async () => {
  await compileLoadClient()
  const server = startEcho(() => ({ result: 1 }))
  const crowd = await openIdle(server, 10)
  await server[Symbol.asyncDispose]()
  expect(await crowd.close()).toBe(0)
  await using other = startEcho(() => ({ result: 1 }))
  const held = await openIdle(other, 10)
  expect(await held.close()).toBe(10)
})

compiled("a program is timed to its first reply and to its end", async () => {
  await compileLoadClient()
  const echo = [process.execPath, `${import.meta.dir}/../../bench/reference/echo.ts`]
  const port = freePort()
  expect(await firstReplyMs({ port, token: "none" }, [...echo, `${port}`])).toBeGreaterThan(0)
  expect(await runMs(["true"])).toBeGreaterThan(0)
  await expect(runMs(["false"])).rejects.toThrow("false failed")
})
