import { json } from "./body.ts"
import type { HttpContext } from "./endpoint.ts"

/** Whether turns can be taken now, and if not, which part is at fault. */
export function readiness({ app }: HttpContext): Response {
  const failing: string[] = []
  const { agents, isReady } = app.live()
  if (app.store.failing()) failing.push("store")
  if (app.turns.draining()) failing.push("draining")
  const mute = [...agents.values()].filter(({ chain }) => !chain.some(isReady))
  failing.push(...new Set(mute.map(({ chain }) => `provider ${chain[0]!.provider}`)))
  return json({ ready: failing.length === 0, failing }, failing.length === 0 ? 200 : 503)
}
