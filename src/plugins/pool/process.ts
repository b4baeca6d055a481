import { assert } from "../../base/errors.ts"
import { no_cache, ownCommand } from "../../kernel/launcher.ts"
import { type Decoder, encodeFrame, type Frame, FrameError, type Kind, openDecoder } from "../frames.ts"
import { type Engine, PluginFailed } from "../module.ts"
import { encodePieces } from "../packing.ts"

/** One process that runs plugins. It speaks only when it is asked: one frame for each frame that it is sent. */
export type Process = {
  readonly pid: number
  /** Whether it can still be asked. It may be dying, and is then no longer to be counted on. */
  readonly is_alive: boolean
  /** Its first frame. Rejects as `ask` does. */
  readonly ready: Promise<Frame>
  /** When nothing of it is left. Never rejects. */
  readonly exited: Promise<void>
  /**
   * Rejects with PluginFailed where it ends or says what makes no sense, or with what it was killed for. A body in parts
   * is sent piece by piece, as the other side takes it.
   */
  ask(kind: Kind, header: object, body?: Uint8Array | readonly Uint8Array[]): Promise<Frame>
  /** The value of something that is done for it, unless it ends before. Where that fails it is killed for it. */
  during<T>(work: Promise<T>): Promise<T>
  /** Of the frames from now on. Not while one is waited for. */
  expect(bounds: Bounds): void
  /** Ends it at once. Whoever waits for it is rejected with this. Once it is dead, nothing happens. */
  kill(reason: unknown): void
}

export type Bounds = { frame_bytes_max: number; header_bytes_max: number }

type Waiting = { resolve(frame: Frame): void; reject(reason: unknown): void }

/** Until a module is loaded it has nothing to say but which walls are missing. */
const first_bounds: Bounds = { frame_bytes_max: 65_536, header_bytes_max: 65_536 }

/**
 * Nothing of the gateway's own environment, where keys may be. A reactor's memory is checked by instructions and not by
 * four gigabytes of forbidden addresses around it: a fresh instance takes 7 µs and not 1 ms, as nothing is mapped, and
 * what it does with its memory takes 10 to 20 % longer.
 */
const environments: Record<Engine, Record<string, string>> = {
  reactor: { ...no_cache, BUN_JSC_useWasmFastMemory: "0" },
  wasmer: no_cache,
}

/** Throws PluginFailed where it cannot be started. */
export function startProcess(engine: Engine, command: readonly string[] = ownCommand("runner")): Process {
  const child = spawn([...command, engine, "--parent", `${process.pid}`], environments[engine])
  let decoder = decoderFor(first_bounds)
  let waiting: Waiting | undefined
  let interrupt: ((reason: unknown) => void) | undefined
  let ended: { reason: unknown } | undefined
  /** Of what was sent and not taken by the other side; undefined where all was. */
  let sending: Promise<void> | undefined

  const first = Promise.withResolvers<Frame>()
  waiting = first
  // A spare that dies has nobody who waits for it.
  first.promise.catch(() => undefined)
  const reader = child.stdout.getReader()
  read().catch(end)

  function end(reason: unknown): void {
    if (ended) return
    ended = { reason }
    child.kill("SIGKILL")
    waiting?.reject(reason)
    interrupt?.(reason)
    waiting = interrupt = undefined
  }

  async function read(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await reader.read()
        if (done) return
        take(value)
      }
    } catch (thrown) {
      if (!(thrown instanceof FrameError)) throw thrown
      end(new PluginFailed("protocol", `The plugin's process broke the protocol: ${thrown.message}.`))
    }
  }

  function take(chunk: Uint8Array): void {
    if (ended) return
    if (!waiting) throw new FrameError("it spoke without being asked")
    decoder.push(chunk)
    release(chunk)
    const frame = decoder.next()
    if (!frame) return
    if (!decoder.isEmpty()) throw new FrameError("it said more than it was asked")
    const { resolve, reject } = waiting
    waiting = undefined
    if (!sending) resolve(frame)
    else afterSending(sending, () => resolve(frame), reject)
  }

  /** Who answers before it has read the question could have the gateway hold any number of them. */
  function afterSending(sent: Promise<void>, go: () => void, reject: (reason: unknown) => void): void {
    interrupt = reject
    void sent.then(() => {
      interrupt = undefined
      go()
    })
  }

  async function exit(): Promise<void> {
    await child.exited
    const how = child.signalCode ?? `status ${child.exitCode}`
    end(new PluginFailed("crash", `The plugin's process ended before it answered (${how}).`))
    // Whoever else holds the other end is not waited for.
    await reader.cancel()
  }

  function send(frame: Uint8Array): void {
    try {
      const results = [child.stdin.write(frame), child.stdin.flush()]
      if (!results.some((result) => result instanceof Promise)) return
      sending = Promise.all(results).then(() => {
        sending = undefined
      }, fail)
    } catch (thrown) {
      fail(thrown as NodeJS.ErrnoException)
    }
  }

  /** What is sent at once is copied at once, for which nobody else gets a turn. */
  function sendAll(pieces: Iterable<Uint8Array>): void {
    const writeAll = async () => {
      for (const piece of pieces) {
        if (ended) return
        await Promise.all([child.stdin.write(piece), child.stdin.flush()])
      }
    }
    sending = writeAll().then(() => {
      sending = undefined
    }, fail)
  }

  function fail(thrown: NodeJS.ErrnoException): void {
    sending = undefined
    // Nobody reads at the other end any more; how it ended says more than this.
    if (thrown.code !== "EPIPE") end(thrown)
  }

  return {
    pid: child.pid,
    get is_alive() {
      return !ended
    },
    ready: first.promise,
    exited: exit(),
    ask(kind, header, body) {
      if (ended) return Promise.reject(ended.reason)
      assert(!waiting, "a runner is asked one thing at a time")
      const answer = Promise.withResolvers<Frame>()
      waiting = answer
      if (body && !(body instanceof Uint8Array)) sendAll(encodePieces(kind, header, body, piece_bytes))
      else send(encodeFrame(kind, header, body))
      return answer.promise
    },
    during<T>(work: Promise<T>) {
      if (ended) return Promise.reject<T>(ended.reason)
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      interrupt = reject
      // Not a race: the loser of one holds on to the other for as long as the process lives.
      work.then((value) => {
        interrupt = undefined
        resolve(value)
      }, end)
      return promise
    },
    expect(bounds) {
      assert(!waiting, "bounds change between frames")
      decoder = decoderFor(bounds)
    },
    kill: end,
  }
}

/** About as much as fits into a pipe or a pair of sockets. */
const piece_bytes = 1 << 18

/** Less than this is for the collector. */
const released_bytes_min = 65_536

/**
 * Gives the memory of bytes that nobody looks at any more back at once. The collector would come for it when there are
 * hundreds of megabytes.
 */
export function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= released_bytes_min) buffer.transfer(0)
}

function spawn(command: string[], env: Record<string, string>) {
  try {
    return Bun.spawn(command, { env, cwd: "/", stdio: ["pipe", "pipe", "ignore"] })
  } catch (thrown) {
    const { message } = thrown as Error
    throw new PluginFailed("crash", `No process for plugins can be started: ${message}.`)
  }
}

const decoderFor = ({ frame_bytes_max, header_bytes_max }: Bounds): Decoder =>
  openDecoder(frame_bytes_max, "runner", header_bytes_max)
