import { connect as connectSocket, type Socket } from "node:net"
import ipaddr from "ipaddr.js"
import type { Place } from "./resolve.ts"

/** With more than one address left, an attempt may take this long. */
export const attempt_ms_max = 5000
/** What a name with very many addresses may cost. */
export const attempts_max = 4

/**
 * A connection to the first of the checked addresses that answers. Nothing is looked up. Throws the signal's reason, and
 * Error with a sentence where none answers.
 */
export async function connectTo(
  { host, port }: Place,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Socket> {
  const tried = addresses.slice(0, attempts_max)
  for (const address of tried) {
    const socket = await connectOnce(address, port, signal)
    if (socket) return socket
    signal.throwIfAborted()
  }
  throw new Error(`Nothing answers at ${host}:${port}.`)
}

async function connectOnce(address: string, port: number, signal: AbortSignal): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  const socket = connectSocket({ host: address, port, allowHalfOpen: true })
  const stop = () => socket.destroy(new Error("stopped"))
  const timer = setTimeout(stop, attempt_ms_max)
  signal.addEventListener("abort", stop)
  socket.once("connect", () => resolve(isPeer(socket, address) ? socket : undefined))
  // Whoever takes the socket gets its errors from then on; before, each of them means the next address.
  socket.once("error", () => resolve(undefined))
  socket.once("close", () => resolve(undefined))
  const connected = await promise
  clearTimeout(timer)
  signal.removeEventListener("abort", stop)
  if (!connected) socket.destroy()
  return connected
}

/** What the system says about the other end; a last look at what the checks before it should have made sure. */
export function isPeer(socket: Socket, address: string): boolean {
  const peer = socket.remoteAddress
  return peer !== undefined && ipaddr.process(peer).toString() === ipaddr.process(address).toString()
}
