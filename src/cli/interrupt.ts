/** The first Ctrl-C aborts, the second leaves. */
export function abortOnInterrupt(): Disposable & { signal: AbortSignal } {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  process.on("SIGINT", stop)
  return { signal: controller.signal, [Symbol.dispose]: () => void process.off("SIGINT", stop) }
}
