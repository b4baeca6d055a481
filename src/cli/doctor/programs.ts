import { tmpdir } from "node:os"
import { findProgram } from "../../security/sandbox/environment.ts"
import { type Finding, ok, warn } from "./finding.ts"

/** What tools make use of where it is there. */
export function checkPrograms(): Finding {
  const ripgrep = findProgram("rg", process.env, tmpdir())
  return ripgrep === undefined
    ? warn("ripgrep", "there is no rg on the PATH", "install ripgrep: search_files is faster with it")
    : ok("ripgrep", ripgrep)
}
