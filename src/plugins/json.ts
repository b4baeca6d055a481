import { isBeyond } from "../base/depth.ts"
import { PluginFailed } from "./module.ts"

/** Deeper than anybody means, and shallow enough for whoever writes it out again. */
const depth_max = 64
/** More than anybody says in one go; what is parsed for them is done in 10 ms. */
const most_values = 100_000

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** JSON as a plugin wrote it. Throws PluginFailed. */
export function readJson(bytes: Uint8Array, from: string): unknown {
  const value = tryJson(bytes)
  if (value === undefined) throw new PluginFailed("output", `${from} returned something that is no JSON`)
  return value
}

/** undefined for what is not JSON in UTF-8, is nested too deeply or has too many values. */
export function tryJson(bytes: Uint8Array, values_max = most_values): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return isBeyond(text, depth_max, values_max) ? undefined : (JSON.parse(text) as unknown)
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return undefined
    throw thrown
  }
}
