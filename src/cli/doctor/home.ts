import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  type Stats,
  statSync,
} from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { type Finding, fail, ok, warn } from "./finding.ts"

type Entry = { path: string; name: string; stat: Stats }

const what = "home"
/** What this program keeps in a home. A home may be a folder of another purpose, whose files are not for us to change. */
const own_names =
  /^(token|config\.toml|gateway\.json|lock|weft\.db|weft\.db[-.].*|history|credentials|files|run|logs|agents|vectors)$/
const shown_max = 5

/**
 * Whether the home and what is in it are its owner's only. `fix` takes the rights of others away. Returns whether there
 * is one that can be looked into.
 */
export function* checkHome(home: string, { fix }: { fix: boolean }): Generator<Finding, boolean> {
  // It may be a link, and is what that leads to.
  const stat = statSync(home, { throwIfNoEntry: false })
  if (!stat) {
    yield ok(what, `there is no ${home} yet; the first start makes it`)
    return false
  }
  if (!stat.isDirectory()) {
    yield fail(what, `${home} is no folder`, "name another with --home")
    return false
  }
  let entries: Entry[]
  let is_own: boolean
  try {
    const found = entriesOf(home, "")
    const is_used = found.some(({ name }) => name === "weft.db" || name === "token")
    is_own = is_used && !["/", homedir()].includes(home)
    const keys = entriesOf(home, "credentials/")
    entries = [...found.filter(({ name }) => own_names.test(name)), ...keys]
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === undefined) throw thrown
    yield fail(what, `${home} cannot be read (${code})`, "run it as the user whose home it is")
    return false
  }
  if (process.platform === "win32") {
    yield ok(what, home)
    return true
  }
  yield* checkModes({ path: `${home}/.`, name: home, stat }, entries, { fix, is_own })
  yield* checkOwners(stat, entries)
  return true
}

function* checkModes(
  folder: Entry,
  entries: Entry[],
  { fix, is_own }: { fix: boolean; is_own: boolean },
): Generator<Finding> {
  const mayFix = (entry: Entry) => fix && (entry !== folder || is_own)
  const loose = [folder, ...entries].filter(({ stat }) => isLoose(stat))
  const kept = loose.filter((entry) => !mayFix(entry) || !tighten(entry, folder.stat.uid))
  const fixed = loose.length - kept.length
  const is_open = kept.includes(folder)
  if (is_open) {
    const remedy = is_own && !fix ? fix_remedy : "if it is for weft alone: chmod 700 …"
    yield warn(what, `others may look into ${folder.name} (${modeOf(folder)})`, remedy)
  } else yield ok(what, `${folder.name} is its owner's only`)
  if (fixed > 0) yield ok("files of the home", `the rights of others to ${fixed} were taken away`)
  const files = kept.filter((entry) => entry !== folder)
  if (files.length === 0) return
  const detail = `others may use ${listed(files, modeOf)}`
  // Behind a closed folder nobody comes to them, until it is copied or opened.
  const level = is_open ? fail : warn
  yield level("files of the home", detail, fix ? "change them as their owner: chmod go= …" : fix_remedy)
}

const fix_remedy = "`weft doctor --fix` takes that away"

function listed(entries: Entry[], note: (entry: Entry) => string): string {
  const list = entries.slice(0, shown_max).map((entry) => `${entry.name} (${note(entry)})`)
  return `${list.join(", ")}${entries.length > shown_max ? ` and ${entries.length - shown_max} more` : ""}`
}

/** What somebody else made there, such as root by one command, the gateway may not be able to open. */
function* checkOwners({ uid }: Stats, entries: Entry[]): Generator<Finding> {
  const foreign = entries.filter(({ stat }) => stat.uid !== uid)
  if (foreign.length === 0) return
  const list = listed(foreign, ({ stat }) => `user ${stat.uid}`)
  const remedy = `chown ${uid} …, and run weft as that user`
  yield fail("files of the home", `they are not the home's owner's (user ${uid}): ${list}`, remedy)
}

/** Files and folders; a link says nothing of its own. */
function entriesOf(home: string, prefix: string): Entry[] {
  const folder = join(home, prefix)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    return stat && (stat.isFile() || stat.isDirectory()) ? [{ path, name: `${prefix}${name}`, stat }] : []
  })
}

const isLoose = ({ mode }: Stats): boolean => (mode & 0o077) !== 0

const modeOf = ({ stat }: Entry): string => `0${(stat.mode & 0o777).toString(8)}`

/**
 * On what is opened and not on its name, which whoever may write there could have given to something else meanwhile;
 * and only on what is the home's owner's. False where that was not possible.
 */
function tighten({ path }: Entry, uid: number): boolean {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const { mode, uid: owner } = fstatSync(descriptor)
    if (owner !== uid) return false
    fchmodSync(descriptor, mode & 0o700)
    return true
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
    return false
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
