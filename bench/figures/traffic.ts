import { openTurns } from "../load/turns.ts"
import { compileLoadClient, type Load, load, ping } from "../load/ws-load.ts"
import { type Bench, type Figure, interleave, median, quantile } from "../measure.ts"
import { executables, freePort, makeHome, startGateway, startProvider, startServer } from "../servers.ts"

export const pings: Bench = {
  name: "ping",
  async measure({ quick }) {
    await compileLoadClient()
    using home = makeHome()
    const port = freePort()
    await using gateway = await startGateway(home)
    await using reference = await startServer([executables.echo, `${port}`], port, home)
    const shape = { sockets: 64, in_flight: 16, seconds: quick ? 1 : 3, request: ping }
    const runs = await interleave(
      quick ? 1 : 3,
      () => load(gateway, shape),
      () => load(reference, shape),
    )
    const [value, held] = runs.map((loads) => median(loads.map(({ per_second }) => per_second))) as [
      number,
      number,
    ]
    const title = "ping, 64 sockets × 16 in flight, against a bare echo that parses and stringifies"
    const note = clientNote(runs.flat())
    return [{ name: "ping", title, unit: "1/s", value, reference: held, ratio: value / held, note }]
  },
}

/** The client's share of a core: near 1 it would be what is measured. */
const clientNote = (loads: Load[]) =>
  `client ${Math.round(100 * Math.max(...loads.map(({ client_cpu }) => client_cpu)))} % of a core`

export const turnLatency: Bench = {
  name: "turn",
  async measure({ quick }) {
    using home = makeHome()
    await using provider = await startProvider()
    await using gateway = await startGateway(home, provider.url)
    using turns = await openTurns(gateway, provider.url)
    const count = quick ? 50 : 250
    await turns.throughGateway(count)
    await turns.direct(count)
    const runs = await interleave(
      quick ? 2 : 8,
      () => turns.throughGateway(count),
      () => turns.direct(count),
    )
    const [ours, theirs] = runs.map((lists) => lists.flat()) as [number[], number[]]
    return (["p50", "p99"] as const).map((name) => {
      const q = Number(name.slice(1)) / 100
      const [whole, alone] = [quantile(ours, q), quantile(theirs, q)]
      const title = `a durable turn on one socket, ${name} added to the provider's own`
      const note = `${whole.toFixed(2)} ms with the gateway, ${alone.toFixed(2)} ms without`
      return { name: `turn_${name}`, title, unit: "ms", value: whole - alone, note }
    })
  },
}

export const turnRate: Bench = {
  name: "turns",
  async measure({ quick }) {
    await compileLoadClient()
    using home = makeHome()
    await using provider = await startProvider()
    await using gateway = await startGateway(home, provider.url)
    const request =
      '{"jsonrpc":"2.0","id":@,"method":"chat.send","params":{"content":"hello","peer":"bench-#"}}'
    const shape = { sockets: 20, in_flight: 1, seconds: quick ? 2 : 5, request }
    const loads: Load[] = []
    for (let round = 0; round < (quick ? 1 : 3); round++) loads.push(await load(gateway, shape))
    const value = median(loads.map(({ per_second }) => per_second))
    const last = loads.at(-1)
    const note = `p50 ${last?.p50_ms?.toFixed(1)} ms, p99 ${last?.p99_ms?.toFixed(1)} ms; ${clientNote(loads)}`
    return [{ name: "turns", title: "durable turns, 20 sessions in parallel", unit: "1/s", value, note }]
  },
}

export const hello: Bench = {
  name: "hello",
  async measure() {
    return [
      await helloTo("hello", 'input tokens of "hello" to the default agent', ""),
      await helloTo("hello_all", 'input tokens of "hello" to an agent with every tool', 'tools = ["*"]'),
    ]
  },
}

async function helloTo(name: string, title: string, fields: string): Promise<Figure> {
  using home = makeHome()
  await using provider = await startProvider()
  await using gateway = await startGateway(home, provider.url, fields)
  using turns = await openTurns(gateway, provider.url)
  await turns.throughGateway(1)
  const { tokens, bytes, messages, tools } = await provider.last()
  const note = `${messages} messages and ${tools} tools in ${bytes} bytes; estimated by tokenx`
  return { name, title, unit: "tokens", value: tokens, note }
}
