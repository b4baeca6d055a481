/** Opens a sandbox as its first word says, runs programs in it one after the other, and prints what came of each. */
import type { Program } from "../../../src/security/sandbox/execute.ts"
import { openSandbox, type SandboxOptions } from "../../../src/security/sandbox/sandbox.ts"

export type Task = {
  options: SandboxOptions
  programs: Omit<Program, "signal">[]
}

const { options, programs }: Task = JSON.parse(process.argv[2]!)
await using sandbox = openSandbox(options)
/** Paths and words may name who runs this. */
const own = (text: string) => text.replaceAll("GATEWAY_PID", `${process.pid}`)
for (const program of programs) {
  const argv = program.argv.map(own)
  const answer = await sandbox
    .execute({ ...program, argv, signal: new AbortController().signal })
    .catch((thrown: Error) => ({ error: thrown.name, message: thrown.message }))
  console.log(JSON.stringify(answer))
}
console.log(JSON.stringify(await sandbox.check()))
