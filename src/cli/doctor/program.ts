import { release } from "node:os"
import { type Finding, ok } from "./finding.ts"

export function checkProgram(version: string): Finding {
  const kind = Bun.isStandaloneExecutable ? process.execPath : `from the sources by ${process.execPath}`
  return ok(
    "program",
    `weft ${version} (${kind}), Bun ${Bun.version}, ${process.platform} ${release()} ${process.arch}`,
  )
}
