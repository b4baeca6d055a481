import { join } from "node:path"
import { AppError } from "../../base/errors.ts"
import { WeftError } from "../../client/client.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { type Finding, ok, warn } from "./finding.ts"

const answer_ms_max = 1000
const anew = "run weft memory reindex"

/** A running gateway compares everything and measures what a search finds; without one the database alone is looked at. */
export async function* checkMemory(home: string, deps: Deps, is_held: boolean): AsyncGenerator<Finding> {
  const told = is_held ? await ask(home, deps) : undefined
  if (told) {
    for (const { name, ok: is_well, said, remedy = anew } of told) {
      yield is_well ? ok(`memory: ${name}`, said) : warn(`memory: ${name}`, said, remedy)
    }
    return
  }
  if (is_held) {
    yield ok("memory", "the database is in use and its gateway cannot be asked, so it was not looked at")
    return
  }
  const { readMemory } = await import("../../store/memory-check.ts")
  const found = readMemory(join(home, "weft.db"))
  if (found === undefined) yield ok("memory", "there is none yet")
  else if (found === "log")
    yield ok("memory", "the last gateway was killed; the next start takes over what is in its log")
  else yield* toFindings(found)
}

type Stored = Exclude<
  ReturnType<typeof import("../../store/memory-check.ts")["readMemory"]>,
  "log" | undefined
>

function* toFindings({ rows, indexed, sets }: Stored): Generator<Finding> {
  const words = `${indexed} of ${rows} rows have words in the index`
  yield indexed <= rows ? ok("memory: words", words) : warn("memory: words", words, anew)
  for (const { embedder, rows: written, counted, digest_agrees } of sets) {
    const what = `memory: vectors of ${embedder}`
    if (counted !== written) {
      yield warn(what, `there are ${counted}, and ${written} are written down`, "the next start corrects it")
    } else if (!digest_agrees) {
      yield warn(what, `the checksum of ${counted} is another one`, "the next start makes their files anew")
    } else
      yield ok(what, `${counted} of ${rows} rows have one; their files are looked at while a gateway runs`)
  }
}

/** What the running gateway says of it; undefined where none answers. */
async function ask(home: string, deps: Deps) {
  try {
    await using gateway = await openGateway({ home }, deps, {
      start: false,
      connect_timeout_ms: answer_ms_max,
    })
    return (await gateway.client.call("memory.check")).checks
  } catch (thrown) {
    if (!(thrown instanceof WeftError || thrown instanceof AppError)) throw thrown
    return undefined
  }
}
