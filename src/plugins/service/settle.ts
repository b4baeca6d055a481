/** Looks at the files of plugins and has each stand as it is found; one thing at a time happens to a plugin. */
import type { Log } from "../../base/log.ts"
import { type Entry, inLane, isSame } from "./entry.ts"
import { stampOf } from "./files.ts"
import { type Approval, type LookDeps, look, type Standing } from "./look.ts"

export type SettlingDeps = LookDeps & {
  log: Pick<Log, "error">
  /** Aborted when the gateway stops, which is no plugin's fault. */
  signal: AbortSignal
  /** Told of each that stands otherwise than before. */
  onStood(entry: Entry, was: Standing): void
}

export function openSettling({ log, signal, onStood, ...deps }: SettlingDeps) {
  const stampNow = ({ config }: Entry) => stampOf(config.path, deps.now_ms())

  const isStale = (entry: Entry) => stampNow(entry) !== entry.stamp

  function stand(entry: Entry, now: Standing): void {
    const { standing: was } = entry
    if (isSame(was, now)) return
    entry.standing = now
    onStood(entry, was)
  }

  async function settleNow(entry: Entry, approval?: Approval): Promise<void> {
    // Of before the look: what is changed during it is looked at again.
    const stamp = stampNow(entry)
    const now = await look(entry.config, deps, approval)
    entry.stamp = stamp
    stand(entry, now)
  }

  function giveUp(entry: Entry, thrown: unknown): void {
    if (signal.aborted) return
    log.error("a plugin could not be looked at", { plugin: entry.config.name, cause: Bun.inspect(thrown) })
    // Not again and again: until its files change or somebody loads it.
    entry.stamp = stampNow(entry)
    stand(entry, { state: "refused", reason: "it could not be looked at; the gateway's log says why" })
  }

  /** Rejects where it cannot be looked at. `before` is done first, when it is its turn. */
  const settle = (entry: Entry, approval?: Approval, before?: () => Promise<void>): Promise<void> =>
    inLane(entry, async () => {
      await before?.()
      await settleNow(entry, approval)
    })

  /** Somebody may have looked while this waited for its turn. */
  const settleIfStale = (entry: Entry): Promise<void> =>
    inLane(entry, async () => {
      if (isStale(entry)) await settleNow(entry)
    })

  /** For several at once, where nobody is told of a failure but the log. */
  const settleAll = async (entries: readonly Entry[], how = (entry: Entry) => settle(entry)) => {
    await Promise.all(entries.map((entry) => how(entry).catch((thrown) => giveUp(entry, thrown))))
  }

  return { isStale, settle, settleIfStale, settleAll }
}
