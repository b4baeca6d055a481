import { AppError } from "../base/errors.ts"
import { type FailureContext, providerFailed } from "./failure.ts"

/** Far above any real answer. Beyond it a broken or hostile server would fill our memory. */
const answer_bytes_max = 64 * 1024 * 1024
const line_bytes_max = 8 * 1024 * 1024
const error_bytes_max = 1024 * 1024

export type Limits = { timeout_ms: number; idle_timeout_ms: number }

/**
 * One running request: its signal, and its clocks. Nothing but waiting for the provider counts as its silence:
 * `rest` while the consumer is busy, `wait` when the next part is wanted.
 */
export type Call = Disposable & {
  signal: AbortSignal
  /** A byte arrived; keep-alive comments of a stream count here and nowhere else. */
  heard(): void
  wait(): void
  rest(): void
  /** What the model does now: a silent one that thinks or has not begun may take timeout_ms. */
  phase: "waiting" | "thinking" | "answering"
  stop(reason?: unknown): void
}

/**
 * Two limits: no part of the answer for timeout_ms, and, once it answers, no byte for idle_timeout_ms. One timer
 * for the whole call, armed again for what is left when it rings, because a timer a chunk costs more than the chunk.
 */
export function startCall(context: FailureContext, limits: Limits, signal: AbortSignal): Call {
  const controller = new AbortController()
  let byte_ms = performance.now()
  let part_ms = byte_ms
  let waiting = true
  const stop = (reason?: unknown) => controller.abort(reason)
  const follow = () => stop(signal.reason)
  const ring = () => {
    const now = performance.now()
    const silent = now - Math.max(byte_ms, part_ms)
    const late = !waiting
      ? undefined
      : now - part_ms >= limits.timeout_ms
        ? limits.timeout_ms
        : call.phase === "answering" && silent >= limits.idle_timeout_ms
          ? limits.idle_timeout_ms
          : undefined
    if (late !== undefined) {
      return stop(new AppError("provider_timeout", { provider: context.provider, timeout_ms: late }))
    }
    const left = Math.min(limits.timeout_ms - (now - part_ms), limits.idle_timeout_ms - silent)
    timer = setTimeout(ring, Math.max(left, tickMs(limits)))
  }
  let timer = setTimeout(ring, Math.min(limits.timeout_ms, limits.idle_timeout_ms))
  const call: Call = {
    signal: controller.signal,
    phase: "waiting",
    heard() {
      byte_ms = performance.now()
    },
    wait() {
      part_ms = performance.now()
      waiting = true
    },
    rest() {
      waiting = false
    },
    stop,
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal.removeEventListener("abort", follow)
    },
  }
  signal.addEventListener("abort", follow, { once: true })
  if (signal.aborted) follow()
  return call
}

/** The timer's coarseness, where the limit that would ring next does not apply in this phase. */
const tickMs = ({ timeout_ms, idle_timeout_ms }: Limits) =>
  Math.max(1, Math.min(timeout_ms, idle_timeout_ms) / 8)

export type Fetch = (input: Parameters<typeof fetch>[0], init?: RequestInit) => Promise<Response>

/**
 * The fetch that SDKs are given: never follows a redirect (a key would travel with it), tells the call of every byte,
 * and bounds what is read. Calls are found by their signal, because an SDK's model object outlives the request.
 */
export function watchedFetch(calls: WeakMap<AbortSignal, Call>, context: FailureContext): Fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "manual" })
    const call = init?.signal ? calls.get(init.signal) : undefined
    call?.heard()
    const { status, statusText, headers } = response
    if (status >= 300 && status < 400) {
      const reason = `It answered with a redirect to ${headers.get("location") ?? "nowhere"}; is base_url right?`
      throw providerFailed(context, reason, { status, retryable: false })
    }
    if (response.ok && headers.get("content-type")?.startsWith("text/html")) {
      throw providerFailed(context, "It answered with a web page; is base_url right?", { retryable: false })
    }
    if (!response.body) return response
    const bytes_max = response.ok ? answer_bytes_max : error_bytes_max
    return new Response(bounded(response.body, bytes_max, call, context), { status, statusText, headers })
  }
}

/** How OpenAI's stream and its likes end. Some servers then leave the connection open. */
const done_mark = /(^|\n)data: ?\[DONE\]\r?\n\r?\n$/
const tail = new TextDecoder()

/** Passes bytes on, up to a number of them in all and between two line ends, until the answer's end. */
function bounded(
  body: ReadableStream<Uint8Array>,
  bytes_max: number,
  call: Call | undefined,
  context: FailureContext,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let bytes = 0
  let line_bytes = 0
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) return controller.close()
      call?.heard()
      bytes += value.length
      const line_end = value.lastIndexOf(10)
      line_bytes = line_end < 0 ? line_bytes + value.length : value.length - line_end - 1
      if (bytes > bytes_max || line_bytes > line_bytes_max) {
        const failure = providerFailed(context, "The answer is far too long.", { retryable: false })
        call?.stop(failure)
        throw failure
      }
      controller.enqueue(value)
      if (!done_mark.test(tail.decode(value.subarray(-20)))) return
      controller.close()
      void drain(reader, () => call?.stop())
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** How long a server that goes on after its answer's end keeps its connection. */
const linger_ms = 250

/** Reads the rest of a finished answer behind the caller's back, so that its connection can serve the next request. */
export async function drain(
  reader: { read(): Promise<{ done: boolean }> },
  giveUp: () => void,
): Promise<void> {
  const timer = setTimeout(giveUp, linger_ms)
  try {
    while (!(await reader.read()).done);
  } catch {
    // The answer is complete and delivered: a connection that breaks now is only not used again.
    return
  } finally {
    clearTimeout(timer)
  }
}
