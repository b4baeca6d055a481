/**
 * A queue with one reader: pushed from callbacks, read with `for await`. `fail` throws in the reader after what
 * was pushed before it. Past `count_max` waiting items the reader gets `overflow` instead: nothing is dropped in silence.
 */
export type Queue<T> = AsyncIterableIterator<T> & {
  push(item: T): void
  end(): void
  fail(error: unknown): void
}

type Options = { count_max?: number; overflow?: () => unknown; onReturn?: () => void }

export function openQueue<T>({ count_max = Infinity, overflow, onReturn }: Options = {}): Queue<T> {
  let items: T[] = []
  let waiting: { resolve(step: IteratorResult<T>): void; reject(error: unknown): void } | undefined
  let over: { error?: unknown } | undefined

  function finish(state: { error?: unknown }): void {
    if (over) return
    over = state
    const reader = waiting
    waiting = undefined
    if ("error" in state) reader?.reject(state.error)
    else reader?.resolve({ value: undefined, done: true })
    // The reader has had its error: from then on the queue is merely at its end.
    if (reader) over = {}
  }

  return {
    push(item) {
      if (over) return
      if (!waiting) {
        if (items.length >= count_max) return finish({ error: overflow?.() })
        items.push(item)
        return
      }
      const reader = waiting
      waiting = undefined
      reader.resolve({ value: item, done: false })
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    next() {
      if (items.length > 0) return Promise.resolve({ value: items.shift() as T, done: false })
      if (!over) return new Promise((resolve, reject) => (waiting = { resolve, reject }))
      const { error } = over
      const failed = "error" in over
      over = {}
      return failed ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true })
    },
    return() {
      items = []
      finish({})
      onReturn?.()
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
