import { closeSync } from "node:fs"
import { openPipe } from "../../kernel/pipe.ts"

type Stream = ReadableStream<Uint8Array>

/** To be disposed of once its streams have been read, or are no longer. */
export type Child = Disposable & { process: Bun.Subprocess; stdout: Stream; stderr: Stream; status: Stream }

export type Spawning = {
  folder: string
  env: Record<string, string>
  stdin: string | undefined
  /** Whether it writes to descriptor 3. */
  reports: boolean
}

/** A process group of its own. Throws Error with a sentence where there is nothing to start. */
export function spawnChild(argv: string[], { folder, env, stdin, reports }: Spawning): Child {
  // Bun's own are sockets, which no program can open by its /dev/stdout.
  const pipes = process.platform === "linux" ? [openPipe(), openPipe()] : []
  const [out, err] = pipes
  const close = (end: "read" | "write") => {
    for (const pipe of pipes) closeSync(pipe[end])
  }
  try {
    const child = Bun.spawn(argv, {
      cwd: folder,
      env,
      detached: true,
      stdio: [
        stdin === undefined ? "ignore" : Buffer.from(stdin),
        out?.write ?? "pipe",
        err?.write ?? "pipe",
        ...(reports ? (["pipe"] as const) : []),
      ],
    })
    const status = reports ? (child.stdio[3] as number) : undefined
    return {
      process: child,
      stdout: out ? Bun.file(out.read).stream() : (child.stdout as Stream),
      stderr: err ? Bun.file(err.read).stream() : (child.stderr as Stream),
      status: status === undefined ? new Blob().stream() : Bun.file(status).stream(),
      [Symbol.dispose]() {
        close("read")
        if (status !== undefined) closeSync(status)
      },
    }
  } catch (thrown) {
    close("read")
    throw new Error(`The program cannot be started: ${(thrown as Error).message}`, { cause: thrown })
  } finally {
    close("write")
  }
}
