/** Answers the host functions of one call. Nothing gets past it: what a plugin cannot be given is an error's number. */
import { ToolDenied } from "../../security/target.ts"
import type { HostError } from "../frames.ts"
import { folderFunctions } from "./folders.ts"
import { secretNames } from "./grants.ts"
import type { OpenHost } from "./host.ts"
import { httpFetch } from "./http.ts"
import { type HostFunction, type HostMeans, HostRefused, nothing } from "./refused.ts"
import { openRedactor } from "./secrets.ts"
import { storeGet, storeList, storePut } from "./stores.ts"
import { openTaint } from "./taint.ts"

/** What a plugin says, and what is said of it, in one call. */
const log_lines_max = 100
const log_bytes_max = 4096
const refusals_max = 20
/** As many characters of a field as the log keeps. */
const line_chars_max = 512

export const openHost: OpenHost = (context) => {
  const { plugin, session_key, capabilities, findSecret, input, signal, log } = context
  const names = secretNames(capabilities)
  const taint = openTaint(names)
  taint.see(input)
  const redactor = openRedactor(names.flatMap((name) => findSecret(name) ?? []))
  const means: HostMeans = { ...context, redactor, taint }
  const who = { plugin, ...(session_key !== "" && { session_key }) }
  const functions = new Map<string, HostFunction>([
    ["http_fetch", httpFetch(means)],
    ["store_get", storeGet(means)],
    ["store_put", storePut(means)],
    ["store_list", storeList(means)],
    ["log", logWith(means, who)],
    ...Object.entries(folderFunctions(means)),
  ])
  let refusals = 0

  const refuse = (name: string, error: HostError, why: string): { error: HostError } => {
    refusals += 1
    if (refusals <= refusals_max) {
      const text = redactor.text(why)
      log.warn("a plugin was not given what it asked for", { ...who, function: name, error, why: text })
    }
    return { error }
  }

  return async (name, argument) => {
    const run = functions.get(name)
    if (!run) return { error: "unknown" }
    // Nobody waits for it any more.
    if (signal.aborted) return { error: "failed" }
    try {
      const bytes = await run(argument)
      if (signal.aborted) return { error: "failed" }
      taint.see(bytes)
      return { bytes }
    } catch (thrown) {
      if (signal.aborted) return { error: "failed" }
      const error = errorOf(thrown)
      // What is not there is asked for all the time.
      if (error === "not_found") return { error }
      return refuse(name, error, thrown instanceof Error ? thrown.message : String(thrown))
    }
  }
}

function errorOf(thrown: unknown): HostError {
  if (thrown instanceof HostRefused) return thrown.error
  if (thrown instanceof ToolDenied) return "denied"
  const { cause } = thrown as Error
  const { code } = (cause ?? {}) as NodeJS.ErrnoException
  return code === "ENOENT" || code === "ENOTDIR" ? "not_found" : "failed"
}

/** The log cuts a field, so that a long text takes several lines. */
function logWith({ log, redactor }: HostMeans, who: { plugin: string; session_key?: string }): HostFunction {
  let left = log_lines_max
  return (argument) => {
    if (argument.length > log_bytes_max) {
      throw new HostRefused("too_large", `what is logged has at most ${log_bytes_max} bytes`)
    }
    const text = redactor.text(new TextDecoder().decode(argument))
    for (let at = 0; at === 0 || at < text.length; at += line_chars_max) {
      if (left === 0) throw new HostRefused("too_large", `a call logs at most ${log_lines_max} lines`)
      left -= 1
      log.info("a plugin says", { ...who, text: text.slice(at, at + line_chars_max) })
    }
    return nothing
  }
}
