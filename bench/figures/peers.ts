import { readdirSync, readFileSync } from "node:fs"
import { type Bench, type Figure, median, pssKilobytes } from "../measure.ts"
import type { PeerGateway } from "../peers/gateway.ts"
import { installOpenclaw, startOpenclaw } from "../peers/openclaw/gateway.ts"
import { startWeft } from "../peers/weft.ts"
import { makeHome, startProvider } from "../servers.ts"

type Answers = {
  start_ms: number
  connected_ms: number
  idle_mb: number
  first_ms: number
  turn_ms: number
  per_second: number
  tokens: number
}

/** Both are asked the same, one after the other: beside a process of half a gigabyte the other would not be idle. */
export const openclaw: Bench = {
  name: "openclaw",
  async measure({ quick }) {
    await installOpenclaw()
    const ours = await ask(startWeft, quick)
    const theirs = await ask(startOpenclaw, quick)
    const figure = (key: keyof Answers, title: string, unit: string): Figure => ({
      name: `openclaw_${key}`,
      title: `beside openclaw: ${title}`,
      unit,
      value: ours[key],
      reference: theirs[key],
      ratio: ours[key] / theirs[key],
    })
    return [
      figure("start_ms", "start to healthy", "ms"),
      figure("connected_ms", "start to a connected client", "ms"),
      figure("idle_mb", "idle memory (PSS)", "MB"),
      figure("first_ms", "first turn", "ms"),
      figure("turn_ms", "a turn, one session, p50", "ms"),
      figure("per_second", "turns, 20 sessions in parallel", "1/s"),
      figure("tokens", 'input tokens of "hello"', "tokens"),
    ]
  },
}

async function ask(
  start: (home: ReturnType<typeof makeHome>, provider_url: string) => Promise<PeerGateway>,
  quick: boolean,
): Promise<Answers> {
  using home = makeHome()
  await using provider = await startProvider()
  await using gateway = await start(home, provider.url)
  await Bun.sleep(10_000)
  const idle_mb = familyOf(gateway.pid).reduce((sum, pid) => sum + pssKilobytes(pid), 0) / 1000
  const first_ms = await timed(() => gateway.turn("first"))
  const { tokens } = await provider.last()
  const span_ms = quick ? 1000 : 5000
  const turns = await turnsFor(span_ms, () => gateway.turn("first"))
  // A session's first turn sets things up; both get it before the clock runs.
  const sessions = Array.from({ length: 20 }, (_, i) => `session-${i}`)
  await Promise.all(sessions.map((session) => gateway.turn(session)))
  const begun = performance.now()
  const rounds = sessions.map((session) => turnsFor(span_ms, () => gateway.turn(session)))
  const count = (await Promise.all(rounds)).flat().length
  const per_second = (1000 * count) / (performance.now() - begun)
  const { start_ms, connected_ms } = gateway
  return { start_ms, connected_ms, idle_mb, first_ms, turn_ms: median(turns), per_second, tokens }
}

/** One turn after the other until the span is over, and three at least. */
async function turnsFor(span_ms: number, turn: () => Promise<void>): Promise<number[]> {
  const begun = performance.now()
  const times: number[] = []
  while (times.length < 3 || performance.now() - begun < span_ms) times.push(await timed(turn))
  return times
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return performance.now() - begun
}

/** A process and all that descend from it. */
function familyOf(pid: number): number[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  const parents = new Map(ids.flatMap((id) => parentOf(Number(id))))
  const family = [pid]
  for (const id of family) for (const [child, parent] of parents) if (parent === id) family.push(child)
  return family
}

/** Nothing for a process that ended since the listing. */
function parentOf(pid: number): [number, number][] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8")
    return [[pid, Number(status.match(/^PPid:\s+(\d+)/m)?.[1])]]
  } catch (thrown) {
    if (
      (thrown as NodeJS.ErrnoException).code === "ENOENT" ||
      (thrown as NodeJS.ErrnoException).code === "ESRCH"
    )
      return []
    throw thrown
  }
}
