/** A runner as the gateway starts it, spoken to frame by frame. */
import { ownCommand } from "../../../src/kernel/launcher.ts"
import {
  type Call,
  encodeFrame,
  type Failed,
  type Frame,
  type Kind,
  openDecoder,
  type Ready,
} from "../../../src/plugins/frames.ts"

/** No guest of a test may run for longer, whatever becomes of the test. */
const most_ms = 30_000
const bytes_max = 64 << 20

export type HostFunction = (name: string, argument: Uint8Array) => Uint8Array | number

export type Answered =
  | { output: string; raw: Uint8Array; stdout: string; stderr: string }
  | { failed: Failed["kind"]; message: string }

export type TestRunner = AsyncDisposable & {
  pid: number
  missing: string[]
  exited: Promise<number>
  send(kind: Kind, header: object, body?: Uint8Array): void
  write(bytes: Uint8Array): void
  /** undefined once it has ended. */
  next(): Promise<Frame | undefined>
  /** The kind of the answer, and what a failure says. */
  load(module: Uint8Array, output_bytes_max?: number): Promise<string>
  call(
    name: string,
    input?: string | Uint8Array,
    more?: Partial<Call> & { host?: HostFunction },
  ): Promise<Answered>
  end(): void
}

export async function startRunner(module?: Uint8Array, output_bytes_max?: number): Promise<TestRunner> {
  const child = Bun.spawn([...ownCommand("runner"), "reactor", "--parent", `${process.pid}`], {
    env: { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0", BUN_JSC_useWasmFastMemory: "0" },
    cwd: "/",
    stdio: ["pipe", "pipe", "ignore"],
    timeout: most_ms,
    killSignal: "SIGKILL",
  })
  const decoder = openDecoder(bytes_max, "runner")
  const reader = child.stdout.getReader()
  const runner: TestRunner = {
    pid: child.pid,
    missing: [],
    exited: child.exited,
    send: (kind, header, body) => runner.write(encodeFrame(kind, header, body)),
    write(bytes) {
      child.stdin.write(bytes)
      void child.stdin.flush()
    },
    async next() {
      for (;;) {
        const frame = decoder.next()
        if (frame) return frame
        const { value } = await reader.read()
        if (!value) return undefined
        decoder.push(value)
      }
    },
    async load(bytes, most = 1 << 20) {
      runner.send("load", { engine: "reactor", output_bytes_max: most, memory_pages_max: 256 }, bytes)
      const frame = await runner.next()
      return frame?.kind === "failed" ? `${frame.header.kind}: ${frame.header.message}` : `${frame?.kind}`
    },
    async call(name, input = "", { host = () => -6, ...more } = {}) {
      const body = Buffer.from(input)
      const input_bytes = more.folders && { input_bytes: body.length }
      runner.send("call", { function: name, env: {}, ...more, ...input_bytes }, body)
      for (;;) {
        const frame = await runner.next()
        if (!frame) throw new Error(`the runner ended with ${await child.exited} ${child.signalCode ?? ""}`)
        if (frame.kind !== "host") return toAnswered(frame)
        const answer = host(String(frame.header.function), frame.body)
        if (typeof answer === "number") runner.send("answer", { error: answer })
        else runner.send("answer", { error: 0 }, answer)
      }
    },
    end: () => void child.stdin.end(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await child.exited
    },
  }
  const ready = await runner.next()
  if (ready?.kind !== "ready") throw new Error(`the runner ended with ${await child.exited}`)
  runner.missing = (ready.header as Ready).missing
  if (module) {
    const loaded = await runner.load(module, output_bytes_max)
    if (loaded !== "loaded") throw new Error(loaded)
  }
  return runner
}

function toAnswered({ kind, header, body }: Frame): Answered {
  if (kind === "failed") return { failed: (header as Failed).kind, message: (header as Failed).message }
  return {
    output: Buffer.from(body).toString(),
    raw: body,
    stdout: `${header.stdout}`,
    stderr: `${header.stderr}`,
  }
}
