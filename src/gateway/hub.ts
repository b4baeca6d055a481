import type { Scope } from "./auth.ts"

/** Something that happened in the gateway, for whoever subscribed to its topic. */
export type HubEvent = {
  topic: string
  data: Record<string, unknown>
  /** Whose it is; only who reaches that agent is told. */
  agent?: string
  /** The scope that a listener needs; unset: read. */
  scope?: Scope
}

export type Hub = {
  publish(event: HubEvent): void
  subscribe(listener: (event: HubEvent) => void): Disposable
}

export function openHub(): Hub {
  const listeners = new Set<(event: HubEvent) => void>()
  return {
    publish(event) {
      for (const listener of listeners) listener(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}

/** Whether a topic is what a pattern asks for: the very topic, "noun.*", or "*". */
export const isTopic = (pattern: string, topic: string): boolean =>
  pattern === "*" || pattern === topic || (pattern.endsWith(".*") && topic.startsWith(pattern.slice(0, -1)))
