import { closeSync, openSync, read } from "node:fs"
import { constants, setPriority } from "node:os"
import { promisify } from "node:util"
import { isCode } from "../disk.ts"
import { ownCommand } from "../launcher.ts"
import { type Calls, openCalls, prctl } from "./calls.ts"
import {
  canListChildren,
  childrenOf,
  countUserTasks,
  descendantsOf,
  exactBytesOf,
  usageOf,
} from "./descendants.ts"
import { hardenAndExecute } from "./harden.ts"
import { Failed, type Options, parseOptions, report } from "./options.ts"

const inside = "--inside"
const watch_ms = 50
const close_on_exec = 0o2000000
const without_waiting = 1

/**
 * What native/sandbox.c does, by this program itself: same words, same status on descriptor 3. It cannot enter
 * namespaces, as it has several threads; so one process supervises, as the subreaper of all that is started, and a
 * second one encloses itself and becomes the program. Returns the exit status.
 */
export async function runSandbox(words: string[]): Promise<number> {
  if (words[0] === inside) {
    hardenAndExecute(words.slice(1))
    return 1
  }
  try {
    await supervise(parseOptions(words), words)
  } catch (thrown) {
    if (!(thrown instanceof Failed)) throw thrown
    report(thrown.message)
  }
  return 0
}

async function supervise(options: Options, words: string[]): Promise<void> {
  const calls = openCalls()
  const stop = Promise.withResolvers<"stopped" | "memory" | "processes">()
  process.on("SIGTERM", () => stop.resolve("stopped"))
  // Stopped, not killed, when the gateway dies: there is somebody to clear away first.
  calls.prctl(prctl.set_pdeathsig, constants.signals.SIGTERM, 0, 0, 0)
  if (process.ppid !== options.parent) throw new Failed("parent", "ESRCH")
  calls.setsid()
  const reaps = calls.prctl(prctl.set_child_subreaper, 1, 0, 0, 0) === 0 && canListChildren()
  const { child, executed } = start(calls, words, reaps ? "-" : "there is no list of children in /proc")
  calls.prctl(prctl.set_dumpable, 0, 0, 0, 0)
  comeFirst()
  const first = await Promise.race([executed, stop.promise])
  if (first === "never") {
    await child.exited
    return
  }
  if (first === "executed") report("started")
  using _ = watch(options, stop.resolve, () => reap(calls, childrenOf("self"), child))
  const why = await Promise.race([child.exited, stop.promise])
  await endBelow(calls, child)
  const signal = child.signalCode && constants.signals[child.signalCode as NodeJS.Signals]
  if (why === "memory" || why === "processes") report(`exceeded ${why}`)
  else if (why === "stopped") report(`signal ${constants.signals.SIGKILL}`)
  else report(signal ? `signal ${signal}` : `exit ${child.exitCode}`)
}

type Child = Bun.Subprocess

/** `executed` is "never" where the inner process has written the last line itself. */
function start(calls: Calls, words: string[], processes: string) {
  const ends = new Int32Array(2)
  if (calls.pipe2(ends, close_on_exec) !== 0) throw new Failed("pipe", "EMFILE")
  const [ready, inner_ready] = [ends[0]!, ends[1]!]
  const running = process.getuid?.() === 0 ? 0 : countUserTasks()
  const command = [...ownCommand("sandbox"), inside, `${process.pid}`, `${running}`, processes, ...words]
  const child: Child = Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit", 3, inner_ready] })
  closeSync(inner_ready)
  leaveStreams(calls)
  const executed = promisify(read)(ready, new Uint8Array(1), 0, 1, null).then(({ bytesRead }) => {
    closeSync(ready)
    return bytesRead === 0 ? "executed" : "never"
  })
  return { child, executed }
}

/** The program's ends of its streams must close when the program closes them. */
function leaveStreams(calls: Calls): void {
  const nothing = openSync("/dev/null", "r+")
  for (const fd of [0, 1, 2]) calls.dup2(nothing, fd)
  closeSync(nothing)
}

function watch(
  options: Options,
  exceed: (limit: "memory" | "processes") => void,
  reapOthers: () => void,
): Disposable {
  const timer = setInterval(() => {
    // Not reaped, they would count as alive.
    reapOthers()
    const pids = descendantsOf("self")
    const { tasks, bytes } = usageOf(pids)
    if (bytes > options.memory_bytes && exactBytesOf(pids) > options.memory_bytes) exceed("memory")
    else if (tasks > options.processes) exceed("processes")
  }, watch_ms)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/**
 * Ends all below us, however often it forks meanwhile: what loses its parent comes to us. First all are stopped, until
 * no further one appears, as one that is killed makes room for another. Resolves when there is none left.
 */
async function endBelow(calls: Calls, child: Child): Promise<void> {
  const stopped = new Set<number>()
  for (let is_new = true; is_new; ) {
    const found = descendantsOf("self").filter((pid) => !stopped.has(pid))
    for (const pid of found) send(pid, "SIGSTOP")
    for (const pid of found) stopped.add(pid)
    is_new = found.length > 0
  }
  for (let pids = descendantsOf("self"); pids.length > 0; pids = descendantsOf("self")) {
    for (const pid of pids) send(pid, "SIGKILL")
    reap(calls, pids, child)
    await Bun.sleep(1)
  }
  await child.exited
}

/** Bun itself waits for the one that it started. */
function reap(calls: Calls, pids: number[], child: Child): void {
  for (const pid of pids) if (pid !== child.pid) calls.waitpid(pid, null, without_waiting)
}

/** Who makes very many processes must not keep us from ending them. Root may have that. */
function comeFirst(): void {
  try {
    setPriority(-20)
  } catch (thrown) {
    if (!isCode(thrown, "EACCES", "EPERM", "ERR_SYSTEM_ERROR")) throw thrown
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ESRCH") throw thrown
  }
}
