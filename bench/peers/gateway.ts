/** What is asked of every gateway that is compared, in the same words. */
export type PeerGateway = AsyncDisposable & {
  /** From exec to the first good answer of its health endpoint. */
  start_ms: number
  /** From exec until it has let a client in. */
  connected_ms: number
  pid: number
  /** One "hello" in the named session, until the answer is whole. */
  turn(session: string): Promise<void>
}

/** Starts the command in a process group of its own, which `until` kills, and asks until it says that it is well. */
export async function startHealthy(
  command: string[],
  env: Record<string, string>,
  health_url: string,
  log_path: string,
  until: AsyncDisposableStack,
) {
  const begun = performance.now()
  const said = Bun.file(log_path)
  const child = Bun.spawn(command, { env, detached: true, stdout: "ignore", stderr: said })
  // Not asked politely: some drain for minutes and have children, and nothing of them is kept.
  until.defer(async () => {
    if (child.exitCode === null) process.kill(-child.pid, "SIGKILL")
    await child.exited
  })
  while (!(await isHealthy(health_url))) {
    if (child.exitCode !== null) throw new Error(`${command[0]} ended: ${await said.text()}`)
    if (performance.now() - begun > 120_000) throw new Error(`${command[0]} is not healthy after two minutes`)
    await Bun.sleep(5)
  }
  return { child, begun, start_ms: performance.now() - begun }
}

const isHealthy = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

/** A socket whose answers are told apart by a key that `keyOf` finds in them; an Error answer fails the wait. */
export async function openAnswers(
  url: string,
  keyOf: (frame: string) => { key: string; failed: boolean } | null,
) {
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  const socket = new WebSocket(url)
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onclose = ({ code, reason }) => {
    const closed = new Error(`${url} closed the socket: ${code} ${reason}`)
    for (const { reject } of [opened, ...waiting.values()]) reject(closed)
  }
  socket.onmessage = ({ data }) => {
    const answer = keyOf(data)
    if (!answer) return
    const wait = waiting.get(answer.key)
    if (answer.failed) wait?.reject(new Error(`${url} answered: ${data}`))
    else wait?.resolve()
    waiting.delete(answer.key)
  }
  await opened.promise
  return {
    send(frame: object, key: string): Promise<void> {
      const wait = Promise.withResolvers<void>()
      waiting.set(key, wait)
      socket.send(JSON.stringify(frame))
      return wait.promise
    },
    close() {
      socket.onclose = null
      socket.close()
    },
  }
}
