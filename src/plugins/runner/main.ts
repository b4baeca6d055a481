import { enclose, followParent } from "../../kernel/own/enclose.ts"
import { makeBlocking } from "../../kernel/waiting.ts"
import { type Answer, type Call, FrameError, type Load } from "../frames.ts"
import { packFolders, unpackBody } from "../packing.ts"
import { type AskHost, GuestFailed, type LoadEngine, type Loaded, type Output } from "./engine.ts"
import { type Io, openIo } from "./io.ts"
import { warmUp } from "./warm.ts"

const status = { done: 0, usage: 2, protocol: 3 }

/**
 * What `weft runner reactor|wasmer --parent PID` does: runs one plugin for the gateway, which is at the other end of
 * standard input and output, until that end is closed. Resolves to an exit status.
 */
export async function runRunner(words: string[]): Promise<number> {
  const [engine, flag, parent] = words
  if ((engine !== "reactor" && engine !== "wasmer") || flag !== "--parent" || !parent) return status.usage
  followParent(Number(parent))
  const load = await engineOf(engine)
  // A guest that runs out of stack has a hundred thousand lines of trace, which nobody reads.
  Error.stackTraceLimit = 0
  const io = openIo(makeBlocking([0, 1]))
  io.send("ready", { missing: enclose(engine, Number(parent)) })
  if (engine === "reactor") await warmUp(load)
  try {
    await serve(io, load)
    return status.done
  } catch (thrown) {
    if (thrown instanceof FrameError) return status.protocol
    throw thrown
  }
}

async function engineOf(engine: Load["engine"]): Promise<LoadEngine> {
  if (engine === "reactor") return (await import("./reactor.ts")).loadReactor
  return await (await import("./program.ts")).openPrograms()
}

async function serve(io: Io, loadEngine: LoadEngine): Promise<void> {
  const first = io.receive()
  if (!first) return
  if (first.kind !== "load") throw new FrameError("a module comes first")
  const ask = openAsk(io)
  let loaded: Loaded | undefined
  try {
    loaded = await loadEngine(first.header as Load, first.body, ask)
    io.send("loaded", {})
  } catch (thrown) {
    fail(io, thrown)
  }
  for (;;) {
    const frame = io.receive()
    if (!frame) return
    if (frame.kind !== "call" || !loaded) throw new FrameError("only a call can come here")
    try {
      const { folders: packed, input_bytes, ...call } = frame.header as Call
      const unpacked = unpackBody(frame.body, input_bytes, packed)
      if (!unpacked) throw new FrameError("the folders of a call are none")
      const { first: input, folders } = unpacked
      sendDone(io, await loaded.call({ ...call, ...(folders && { folders }) }, input))
    } catch (thrown) {
      fail(io, thrown)
    }
    loaded.settle?.()
  }
}

function sendDone(io: Io, { header, body, folders }: Output): void {
  if (folders) {
    const { packed, parts } = packFolders(folders)
    io.send("done", { ...header, folders: packed, output_bytes: body.length }, [body, ...parts])
  } else io.send("done", header, body)
}

function openAsk(io: Io): AskHost {
  return (name, argument) => {
    checkStack(frames_of_an_exchange)
    return io.exchange(() => {
      io.send("host", { function: name }, argument)
      const frame = io.receive()
      if (frame?.kind !== "answer") throw new FrameError("only an answer can come here")
      return { error: (frame.header as Answer).error, bytes: frame.body }
    })
  }
}

/** Far more than sending a frame and waiting for one goes down. */
const frames_of_an_exchange = 200

/** Throws RangeError here, where it is the guest's, and not in the middle of an exchange. */
function checkStack(frames: number): number {
  return frames === 0 ? 0 : 1 + checkStack(frames - 1)
}

function fail(io: Io, thrown: unknown): void {
  if (!(thrown instanceof GuestFailed) || io.isBroken()) throw thrown
  const { kind, message, stdout, stderr } = thrown
  io.send("failed", { kind, message, stdout, stderr })
}
