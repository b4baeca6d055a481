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

export type Listener = {
  /** Whether it would be told of such an event, were it published now. */
  hears(event: HubEvent): boolean
  tell(event: HubEvent): void
}

export type Hub = {
  publish(event: HubEvent): void
  subscribe(listener: Listener): Disposable
  /** Whether there is anybody now who would be told of such an event. */
  isHeard(event: HubEvent): boolean
}

export function openHub(): Hub {
  const listeners = new Set<Listener>()
  return {
    publish(event) {
      for (const listener of listeners) if (listener.hears(event)) listener.tell(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    isHeard: (event) => listeners.values().some((listener) => listener.hears(event)),
  }
}

/** Whether a topic is what a pattern asks for: the very topic, "noun.*", or "*". */
export const isTopic = (pattern: string, topic: string): boolean =>
  pattern === "*" || pattern === topic || (pattern.endsWith(".*") && topic.startsWith(pattern.slice(0, -1)))
