import { compileLoadClient, load, openIdle, ping } from "../load/ws-load.ts"
import { type Bench, median, pssKilobytes } from "../measure.ts"
import { executables, freePort, makeHome, type Server, startGateway, startServer } from "../servers.ts"

/** Long enough for what a start leaves behind to be collected. */
const settle_ms = 3000

export const idleMemory: Bench = {
  name: "idle_memory",
  async measure({ quick }) {
    await compileLoadClient()
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      using home = makeHome()
      const port = freePort()
      await using gateway = await startGateway(home)
      await using reference = await startServer(
        [executables.smallest, `${port}`, `${home.path}/reference.db`],
        port,
        home,
      )
      await Promise.all([answerOnce(gateway), answerOnce(reference)])
      await Bun.sleep(settle_ms)
      ours.push(pssKilobytes(gateway.pid) / 1000)
      theirs.push(pssKilobytes(reference.pid) / 1000)
    }
    const [value, reference] = [median(ours), median(theirs)]
    const title = "idle memory (PSS), against that program"
    return [{ name: "idle_memory", title, unit: "MB", value, reference, ratio: value / reference }]
  },
}

export const sockets: Bench = {
  name: "sockets",
  async measure({ quick }) {
    await compileLoadClient()
    const count = quick ? 2000 : 10_000
    using home = makeHome()
    await using gateway = await startGateway(home)
    // A first crowd grows the tables once; what a socket costs shows from the second.
    await (await openIdle(gateway, Math.min(count, 1000))).close()
    await Bun.sleep(settle_ms)
    const before = pssKilobytes(gateway.pid)
    const crowd = await openIdle(gateway, count)
    // Past the five seconds in which a socket must have presented a token.
    await Bun.sleep(quick ? settle_ms : 8000)
    const value = (pssKilobytes(gateway.pid) - before) / count
    const held = await crowd.close()
    if (held !== count) throw new Error(`only ${held} of ${count} idle sockets were held`)
    const title = `${count.toLocaleString("en")} idle sockets, memory of each`
    return [{ name: "sockets", title, unit: "KB", value, note: `all ${count} held` }]
  },
}

const answerOnce = (server: Server) =>
  load(server, { sockets: 1, in_flight: 1, seconds: 0.01, request: ping })
