import { type BigIntStats, closeSync, fchmodSync, fchownSync, fstatSync, read, write } from "node:fs"
import { posix } from "node:path"
import { promisify } from "node:util"
import { type Disk, isCode, isSame } from "../../kernel/disk.ts"
import { type Permit, ToolDenied } from "../target.ts"
import { explain, kindOf } from "./errors.ts"
import type { Place, Roots } from "./roots.ts"

type Means = { roots: Roots; disk: Disk; permit: Permit }

/** A name in a folder that is held open, and what has the name: `found` is a descriptor of it. */
type Spot = Disposable & {
  folder: number
  name: string
  old: { found: number; stat: BigIntStats } | undefined
}

const writeSome = promisify(write)
const readSome = promisify(read)
const piece_bytes = 1 << 20

/** See `Files.write`. Nothing is changed before the rules were asked for where the path really leads. */
export async function writeFile(
  means: Means,
  path: string,
  bytes: Uint8Array,
  expected: Uint8Array | null | undefined,
): Promise<{ created: boolean }> {
  const { roots, disk, permit } = means
  const place = roots.locate(path, "write")
  permit(roots.toTarget(place, "write"))
  try {
    using spot = openSpot(means, place, path)
    checkOld(spot, path, expected, disk)
    const made = `.${crypto.randomUUID()}.new`
    const fd = disk.create(spot.folder, made)
    try {
      await fill(fd, bytes)
      giveMode(fd, spot)
      // Again, as others had a turn meanwhile.
      using now = openSpotIn(disk, spot.folder, spot.name)
      checkOld(now, path, expected, disk)
      if (now.old && expected) await checkHolds(now, path, expected, disk)
      permitIn(means, place, now, path)
      if (expected === null) disk.renameNew(spot.folder, made, spot.name)
      else disk.rename(spot.folder, made, spot.name)
      return { created: now.old === undefined }
    } catch (thrown) {
      disk.remove(spot.folder, made)
      throw thrown
    } finally {
      closeSync(fd)
    }
  } catch (thrown) {
    throw isCode(thrown, "EEXIST") ? alreadyThere(path) : explain(thrown, path)
  }
}

/** Follows links to what is written, or makes the folders of what is new. */
function openSpot(means: Means, { root, names }: Place, path: string): Spot {
  const { disk, roots } = means
  if (names === "") throw new Error(`"${path}" is a folder, not a file that can be written.`)
  using stack = new DisposableStack()
  const found = findOrNothing(disk, root.folder(), names)
  if (found !== undefined) stack.defer(() => closeSync(found))
  const real = found === undefined ? names : roots.placeOf(root, found, path).names
  if (real === "") throw new Error(`"${path}" is a folder, not a file that can be written.`)
  const name = posix.basename(real)
  const folder = openParent(means, { root, names: posix.dirname(real) }, name, path)
  stack.defer(() => closeSync(folder))
  permitIn(means, { root }, { folder, name }, path)
  const spot = stack.use(openSpotIn(disk, folder, name))
  if (found !== undefined && !(spot.old && isSame(spot.old.found, found))) throw changed(path)
  const kept = stack.move()
  return { ...spot, [Symbol.dispose]: () => kept.dispose() }
}

/** Asks for a name in a folder, wherever that is by now. */
function permitIn(
  { roots, permit }: Means,
  { root }: Pick<Place, "root">,
  { folder, name }: Pick<Spot, "folder" | "name">,
  path: string,
): void {
  const { names } = roots.placeOf(root, folder, path)
  permit(roots.toTarget({ root, names: posix.join(names, name) }, "write"))
}

function openSpotIn(disk: Disk, folder: number, name: string): Spot {
  try {
    const found = disk.findHere(folder, name)
    const old = { found, stat: fstatSync(found, { bigint: true }) }
    return { folder, name, old, [Symbol.dispose]: () => closeSync(found) }
  } catch (thrown) {
    if (!isCode(thrown, "ENOENT")) throw thrown
    return { folder, name, old: undefined, [Symbol.dispose]: () => undefined }
  }
}

function findOrNothing(disk: Disk, folder: number, names: string): number | undefined {
  try {
    return disk.find(folder, names)
  } catch (thrown) {
    if (isCode(thrown, "ENOENT")) return undefined
    throw thrown
  }
}

/** The folder of a file. Those that are missing are made once the rules were asked for what would be in them. */
function openParent(
  { roots, disk, permit }: Means,
  { root, names }: Place,
  name: string,
  path: string,
): number {
  const whole = findOrNothing(disk, root.folder(), names)
  if (whole !== undefined) return whole
  const parts = names.split("/")
  let folder = disk.find(root.folder(), ".")
  for (const [index, part] of parts.entries()) {
    using stack = new DisposableStack()
    const above = folder
    stack.defer(() => closeSync(above))
    const next = findOrNothing(disk, root.folder(), parts.slice(0, index + 1).join("/"))
    if (next === undefined) {
      const place = roots.placeOf(root, above, path)
      permit(roots.toTarget({ root, names: posix.join(place.names, ...parts.slice(index), name) }, "write"))
    }
    folder = next ?? disk.makeFolder(above, part, 0o755 & fstatSync(above).mode)
  }
  return folder
}

function checkOld({ old }: Spot, path: string, expected: Uint8Array | null | undefined, disk: Disk): void {
  if (!old) {
    if (expected) throw changed(path)
    return
  }
  const { stat, found } = old
  if (stat.isSymbolicLink()) throw new Error(`"${path}" is a link to something that is not there.`)
  if (!stat.isFile()) throw new Error(`"${path}" is ${kindOf(stat)}, not a file that can be written.`)
  if (expected === null) throw alreadyThere(path)
  if (stat.nlink > 1n) {
    throw new ToolDenied(`"${path}" has other names (hard links) that may lie outside: it is not written.`)
  }
  // A rename asks the folder only; a file that was made read-only is meant to stay as it is.
  disk.checkWritable(found)
  if (expected && stat.size !== BigInt(expected.length)) throw changed(path)
}

/** Reads what is there, and looks last whether it is still the same file and untouched. */
async function checkHolds({ folder, name, old }: Spot, path: string, expected: Uint8Array, disk: Disk) {
  using stack = new DisposableStack()
  const fd = disk.openFound(old!.found)
  stack.defer(() => closeSync(fd))
  const piece = new Uint8Array(Math.min(piece_bytes, expected.length))
  for (let done = 0; done < expected.length; ) {
    const { bytesRead: count } = await readSome(fd, piece, 0, piece.length, done)
    const wanted = expected.subarray(done, done + count)
    if (count === 0 || Buffer.compare(piece.subarray(0, count), wanted) !== 0) throw changed(path)
    done += count
  }
  const now = stack.use(openSpotIn(disk, folder, name))
  const is_same = now.old && isSame(now.old.found, old!.found) && now.old.stat.ctimeNs === old!.stat.ctimeNs
  if (!is_same) throw changed(path)
}

async function fill(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeSome(fd, bytes, done, Math.min(piece_bytes, bytes.length - done))
    done += bytesWritten
  }
}

/** That of the old file, without the bits that lend its owner's rights; a new one is read by whom its folder lets in. */
function giveMode(fd: number, { folder, old }: Spot): void {
  if (old && process.getuid?.() === 0) fchownSync(fd, Number(old.stat.uid), Number(old.stat.gid))
  fchmodSync(fd, old ? Number(old.stat.mode) & 0o777 : 0o644 & fstatSync(folder).mode)
}

const changed = (path: string) =>
  new Error(`"${path}" is not what it was any more. Read it again, then write.`)
const alreadyThere = (path: string) => new Error(`"${path}" is already there.`)
