import { expect } from "bun:test"
import { type ErrorCode, errors } from "../../src/base/errors.ts"
import type { NewToken } from "../../src/gateway/auth.ts"
import type { Frame, Started } from "../harness.ts"

/** One frame over POST /rpc, as it is. */
export function post(gateway: Started, body: unknown, token?: string, headers: Record<string, string> = {}) {
  return fetch(`${gateway.url}/rpc`, {
    method: "POST",
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    body: (typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body)) as BodyInit,
  })
}

export const request = (method: string, params?: unknown, id: unknown = 1) => ({
  jsonrpc: "2.0",
  id,
  method,
  ...(params !== undefined && { params }),
})

/** One call over POST /rpc by the operator, or by whose token it is. */
export async function call(
  gateway: Started,
  method: string,
  params?: unknown,
  token = gateway.token,
): Promise<Frame> {
  return (await (await post(gateway, request(method, params), token)).json()) as Frame
}

/** The result of a call that must succeed. */
export async function ask<T = Record<string, unknown>>(
  gateway: Started,
  method: string,
  params?: unknown,
  token = gateway.token,
): Promise<T> {
  const { result, error } = await call(gateway, method, params, token)
  if (error) throw new Error(`${method}: ${JSON.stringify(error)}`)
  return result as T
}

export type Made = { token: string; token_id: string }

export const makeToken = (gateway: Started, token: Partial<NewToken> = {}): Promise<Made> =>
  ask<Made>(gateway, "token.create", {
    name: "test",
    scope: token.scopes ?? "chat",
    ...(token.agents && { agents: token.agents }),
    ...(typeof token.expires_ms === "number" && { expires_ms: token.expires_ms }),
  })

/** Whether it is an answer that the specification allows, with an error that our table has. */
export function checkReply(reply: unknown): void {
  for (const one of Array.isArray(reply) ? reply : [reply]) {
    const { error, ...rest } = one as Frame
    if (!error) {
      expect(Object.keys(rest).toSorted()).toEqual(["id", "jsonrpc", "result"])
      continue
    }
    expect(Object.keys(rest).toSorted()).toEqual(["id", "jsonrpc"])
    // A bug would show as "internal".
    expect(error.data.code).not.toBe("internal")
    const declared = errors[error.data.code as ErrorCode]
    expect([error.code, error.message]).toEqual([declared.rpc, declared.message])
  }
}

/** Sends bytes over a plain connection and answers what came back: one whole response, or all until the other side closes. */
export async function raw(port: number, bytes: string, { tls = false } = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let got = ""
  const isWhole = () => {
    const [head, body] = got.split("\r\n\r\n", 2)
    if (body === undefined) return false
    const length = /content-length: (\d+)/i.exec(head!)?.[1]
    return head!.startsWith("HTTP/1.1 101") || (length !== undefined && body.length >= Number(length))
  }
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    tls: tls && { rejectUnauthorized: false },
    socket: {
      open: (socket) => void socket.write(bytes),
      data(_socket, data) {
        got += data.toString("latin1")
        if (isWhole()) resolve(got)
      },
      close: () => resolve(got),
      error: (_socket, error) => reject(error),
    },
  })
  const answer = await promise
  socket.end()
  return answer
}

export const statusOf = (response: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1])
