import type { HttpContext } from "../http.ts"
import { json } from "./body.ts"

/** Whether turns can be taken now, and if not, which part is at fault. */
export function readiness({ app }: HttpContext): Response {
  const failing: string[] = []
  if (app.store.failing()) failing.push("store")
  if (app.turns.draining()) failing.push("draining")
  for (const { id, state } of app.live().providers()) if (state === "no_key") failing.push(`provider ${id}`)
  return json({ ready: failing.length === 0, failing }, failing.length === 0 ? 200 : 503)
}
