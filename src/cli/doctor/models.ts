import type { Agent } from "../../agent/agents.ts"
import { nameOf } from "../../agent/model.ts"
import { presets } from "../../providers/table.ts"
import type { Inspected } from "../deps.ts"
import { type Finding, fail, ok, warn } from "./finding.ts"

/** Whether keys are there. Asks no provider, so a wrong key passes. */
export function* checkModels({ live }: Inspected): Generator<Finding> {
  const states = live.providers().filter(({ id }) => id !== "offline")
  for (const { id, state } of states) {
    const what = `provider ${id}`
    yield state === "ready"
      ? ok(what, presets[id]?.key_needed === false ? "needs no key" : "has what it needs")
      : warn(what, "no key was found", keyRemedy(id))
  }
  if (states.length === 0) yield warn("providers", "no key of any was found", keyRemedy("anthropic"))
  for (const agent of live.agents.values()) yield checkAgent(agent, live)
}

function checkAgent({ id, chain }: Agent, { isReady }: Inspected["live"]): Finding {
  const what = `agent ${id}`
  const able = chain.filter(isReady)
  const [first] = able
  if (!first) return fail(what, `${nameOf(chain[0]!)} has no key`, keyRemedy(chain[0]!.provider))
  if (first.provider === "offline")
    return warn(what, "no model answers, only an echo", keyRemedy("anthropic"))
  const others = able.slice(1).map(nameOf)
  return ok(what, `${nameOf(first)} answers${others.length === 0 ? "" : `, else ${others.join(", ")}`}`)
}

function keyRemedy(provider: string): string {
  const variable = Object.hasOwn(presets, provider) ? presets[provider]?.variables[0] : undefined
  const written = `write it into credentials/${provider}.key in the home`
  return variable ? `set ${variable}, or ${written}` : written
}
