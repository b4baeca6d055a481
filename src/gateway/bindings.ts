import type { Binding } from "./config.ts"

/** Where a message comes from. */
export type Origin = { channel: string; account: string; peer: string; guild?: string; team?: string }

export type Route = { agent: string; matched_by: string }
export type Router = (origin: Origin) => Route

const tiers = ["peer", "guild", "team", "account", "channel"] as const
type Tier = (typeof tiers)[number]

/** The field of a message that each selector of a binding is compared with. */
const selectors = {
  peer_id: "peer",
  guild_id: "guild",
  team_id: "team",
  account_id: "account",
  channel: "channel",
} as const

type Selector = keyof typeof selectors
const selector_names = Object.keys(selectors) as Selector[]

/** Bindings that set the same selectors, by the values of those: one lookup tells whether one of them matches. */
type Shape = { fields: (typeof tiers)[number][]; agents: Map<string, { agent: string; order: number }> }

/**
 * Answers which agent a message goes to: the first binding, in their order, of the highest tier in which one
 * matches (peer > guild > team > account > channel), else the default. A binding's tier is its highest selector
 * and every other selector that it sets must match too. The cost of a lookup is that of the distinct combinations
 * of selectors, of which there are at most 31, and not of the number of bindings.
 */
export function openRouter(bindings: readonly Binding[], default_agent: string): Router {
  const shapes = tiers.map((tier) => ({ matched_by: `binding.${tier}`, shapes: shapesOf(bindings, tier) }))
  const used = shapes.filter((tier) => tier.shapes.length > 0)
  return (origin) => {
    for (const { matched_by, shapes } of used) {
      let best: { agent: string; order: number } | undefined
      for (const { fields, agents } of shapes) {
        const found = agents.get(keyOf(fields, origin))
        if (found && (!best || found.order < best.order)) best = found
      }
      if (best) return { agent: best.agent, matched_by }
    }
    return { agent: default_agent, matched_by: "default" }
  }
}

function shapesOf(bindings: readonly Binding[], tier: Tier): Shape[] {
  const shapes = new Map<string, Shape>()
  for (const [order, binding] of bindings.entries()) {
    const set = selector_names.filter((name) => binding[name] !== undefined)
    const fields = set.map((name) => selectors[name])
    if (fields[0] !== tier) continue
    const shape = shapes.get(fields.join()) ?? { fields, agents: new Map() }
    shapes.set(fields.join(), shape)
    const values = Object.fromEntries(set.map((name) => [selectors[name], binding[name]!]))
    const key = keyOf(fields, values)
    if (!shape.agents.has(key)) shape.agents.set(key, { agent: binding.agent_id, order })
  }
  return [...shapes.values()]
}

/** Lengths go before the values, so that no two lists of values make the same key. */
function keyOf(fields: Tier[], values: Partial<Record<Tier, string>>): string {
  let key = ""
  for (const field of fields) {
    const value = values[field]
    // A message without that field must not equal one whose field is empty.
    key += value === undefined ? "-" : `${value.length}:${value}`
  }
  return key
}
