import { environmentOf, freePort, gatewayCommand, type Home, startGateway } from "../servers.ts"
import { openAnswers, type PeerGateway, startHealthy } from "./gateway.ts"

/** Ours, asked what the others are asked. The home has been started once, as theirs has. */
export async function startWeft(home: Home, provider_url: string): Promise<PeerGateway> {
  const { token, ...first } = await startGateway(home, provider_url)
  await first[Symbol.asyncDispose]()
  await using started = new AsyncDisposableStack()
  const port = freePort()
  const { child, begun, start_ms } = await startHealthy(
    gatewayCommand(port),
    environmentOf(home),
    `http://127.0.0.1:${port}/health`,
    `${home.path}/log`,
    started,
  )
  const answers = await openAnswers(`ws://127.0.0.1:${port}/ws`, (frame) => {
    const { id, error } = JSON.parse(frame)
    return id === undefined ? null : { key: `${id}`, failed: error !== undefined }
  })
  started.defer(answers.close)
  let id = 0
  const call = (method: string, params: object) =>
    answers.send({ jsonrpc: "2.0", id: ++id, method, params }, `${id}`)
  await call("connect", { token })
  const connected_ms = performance.now() - begun
  const until = started.move()
  return {
    start_ms,
    connected_ms,
    pid: child.pid,
    turn: (session) => call("chat.send", { content: "hello", peer: session }),
    [Symbol.asyncDispose]: () => until.disposeAsync(),
  }
}
