import type { Server } from "../servers.ts"

/**
 * One client for both ways to the model: through the gateway's socket, and directly over HTTP. Each answers the
 * milliseconds of every turn, from sending "hello", or what `say` answers, to the end of the answer.
 */
export async function openTurns(
  { port, token }: Server,
  provider_url: string,
  say: () => string = () => "hello",
) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  let answered = Promise.withResolvers<void>()
  socket.onclose = ({ code }) => answered.reject(new Error(`the gateway closed the socket with ${code}`))
  socket.onmessage = ({ data }) => {
    const { id, error } = JSON.parse(data)
    if (error) answered.reject(new Error(`the gateway answered: ${data}`))
    else if (id !== undefined) answered.resolve()
  }
  socket.onopen = () => answered.resolve()
  await answered.promise

  let id = 0
  const call = (method: string, params: object) => {
    answered = Promise.withResolvers()
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }))
    return answered.promise
  }
  await call("connect", { token })
  const throughGateway = () => call("chat.send", { content: say(), peer: "latency" })
  const body = JSON.stringify({
    model: "instant",
    stream: true,
    messages: [{ role: "user", content: "hello" }],
  })
  const direct = async () => {
    const response = await fetch(`${provider_url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    })
    for await (const _ of response.body ?? []);
  }
  return {
    throughGateway: (count: number) => timed(count, throughGateway),
    direct: (count: number) => timed(count, direct),
    [Symbol.dispose]() {
      socket.onclose = null
      socket.close()
    },
  }
}

async function timed(count: number, turn: () => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    await turn()
    times.push(performance.now() - begun)
  }
  return times
}
