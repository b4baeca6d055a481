import { toPeer } from "./auth.ts"

export type Failures = {
  /** Milliseconds until the address may try again; 0 where it may now. */
  wait_ms(address: string): number
  note(address: string): void
}

type Options = { failures_max: number; window_ms: number; addresses_max: number; now_ms(): number }

/** Counts failures by peer within a time. Beyond its bound of addresses the one that began longest ago is forgotten. */
export function openFailures({ failures_max, window_ms, addresses_max, now_ms }: Options): Failures {
  const seen = new Map<string, { began_ms: number; count: number }>()
  const current = (peer: string) => {
    const one = seen.get(peer)
    // What is yet to come was counted before the clock was set back.
    return one && one.began_ms > now_ms() - window_ms && one.began_ms <= now_ms() ? one : undefined
  }
  return {
    wait_ms(address) {
      const one = current(toPeer(address))
      return one && one.count >= failures_max ? one.began_ms + window_ms - now_ms() : 0
    },
    note(address) {
      const peer = toPeer(address)
      const one = current(peer)
      if (one) return void one.count++
      seen.delete(peer)
      seen.set(peer, { began_ms: now_ms(), count: 1 })
      if (seen.size > addresses_max) seen.delete(seen.keys().next().value!)
    },
  }
}
