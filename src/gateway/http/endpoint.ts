import { AppError } from "../../base/errors.ts"
import type { App } from "../app.ts"
import { type Caller, holds, type Scope } from "../auth.ts"
import type { Dispatcher } from "../rpc.ts"

export type HttpContext = {
  app: App
  dispatcher: Dispatcher
  request: Request
  /** Of the client, with trusted proxies taken into account. */
  address: string
  caller: Caller | undefined
  /** From here on the client is not cut off for the silence of a model. */
  waitForModel(): void
}

export type Endpoint = {
  method: "GET" | "POST"
  path: string
  /**
   * What the token must allow. "none" is open to everybody that Host and Origin let in, whatever they carry; "asked"
   * leaves the question to the endpoint.
   */
  scope: "none" | "asked" | Scope
  run(context: HttpContext): Response | Promise<Response>
  /** Answers a failure in this endpoint's own form. */
  fail?(error: AppError): Response
}

export function requireScope(caller: Caller | undefined, scope: Scope): void {
  if (!caller) throw new AppError("unauthorized")
  if (!holds(caller, scope)) throw new AppError("forbidden", { scope })
}

/** Throws where a request that needs a token has none. */
export function requireCaller({ caller }: HttpContext) {
  if (!caller) throw new AppError("unauthorized")
  return caller
}
