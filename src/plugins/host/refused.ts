import type { TSchema } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { once } from "../../base/once.ts"
import { type Parse, parser } from "../../base/schema.ts"
import type { HostError } from "../frames.ts"
import { tryJson } from "../json.ts"
import type { HostContext } from "./host.ts"
import type { Redactor } from "./secrets.ts"
import type { Taint } from "./taint.ts"

/** Why a host function has no result. The message is for the log; the plugin gets the error's number. */
export class HostRefused extends Error {
  override name = "HostRefused"
  readonly error: HostError

  constructor(error: HostError, message: string) {
    super(message)
    this.error = error
  }
}

export type HostFunction = (argument: Uint8Array) => Promise<Uint8Array> | Uint8Array

/** What is made once for a call and used by all of its host functions. */
export type HostMeans = HostContext & { redactor: Redactor; taint: Taint }

/** Of an argument, whose length is in one text or two. A call may bring ten thousand of them. */
const values_max = 1000

/** JSON of a plugin's, narrowed. Throws HostRefused. */
export function argumentParser<S extends TSchema>(schema: S): (bytes: Uint8Array) => ReturnType<Parse<S>> {
  const parse = once(() => parser(schema))
  return (bytes) => {
    const value = tryJson(bytes, values_max)
    if (value === undefined) throw new HostRefused("invalid", "the argument is not JSON")
    try {
      return parse()(value)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      throw new HostRefused("invalid", "the argument does not match the function's schema")
    }
  }
}

export const nothing = new Uint8Array()

/** Throws HostRefused where it is more than the plugin may be answered. */
export function toAnswer(value: unknown, bytes_max: number): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  if (bytes.length > bytes_max)
    throw new HostRefused("too_large", "the answer is longer than output_bytes_max")
  return bytes
}
