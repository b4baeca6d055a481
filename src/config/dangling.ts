import { nearest } from "./nearest.ts"
import type { Finding } from "./problem.ts"
import type { Path } from "./schema-tree.ts"

/** A name that leads nowhere; `noun` is what it should be the name of, with its article. */
export function dangling(path: Path, noun: string, name: string, known: readonly string[]): Finding {
  const near = nearest(name, known)
  const hint =
    known.length === 0 ? "there is none yet" : `there is ${[...new Set(known)].slice(0, 40).join(", ")}`
  return {
    path,
    expected: `the name of ${noun}`,
    got: JSON.stringify(name),
    ...(near ? { nearest: near } : { hint }),
  }
}
