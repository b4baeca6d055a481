import { accessSync, writeSync } from "node:fs"
import { type Wall, walls } from "../walls.ts"

/** What the words on the command line of native/sandbox.c say; sizes in bytes. */
export type Options = {
  parent: number
  folder: string
  tmp: string
  proxy: string | undefined
  grants: { path: string; is_writable: boolean }[]
  processes: number
  files: number
  file_bytes: bigint
  memory_bytes: number
  required: Set<Wall>
  argv: string[]
}

/** The program was not executed, and why; becomes the last line of the status. */
export class Failed extends Error {
  constructor(step: string, errno: string) {
    super(`failed ${step} ${errno}`)
  }
}

const status_fd = 3

export const report = (line: string): void => void writeSync(status_fd, `${line}\n`)

export function parseOptions(args: string[]): Options {
  const end = args.indexOf("--")
  const argv = args.slice(end + 1)
  if (end === -1 || end % 2 === 1 || argv.length === 0) throw misuse()
  const pairs = Array.from({ length: end / 2 }, (_, i) => [args[2 * i]!, args[2 * i + 1]!] as const)
  const single = new Map(pairs)
  const grants = pairs.flatMap(([name, value]) => {
    if (!known.has(name)) throw misuse()
    const is_writable = name === "--write"
    return name === "--read" || is_writable ? [{ path: toPath(value), is_writable }] : []
  })
  for (const { path, is_writable } of grants) if (is_writable) checkThere(path, "write")
  const tmp = toPath(single.get("--tmp"))
  checkThere(tmp, "tmp")
  grants.push({ path: tmp, is_writable: true })
  toPath(argv[0])
  return {
    parent: toNumber(single.get("--parent")),
    folder: toPath(single.get("--folder")),
    tmp,
    proxy: single.has("--proxy") ? toPath(single.get("--proxy")) : undefined,
    grants,
    processes: toNumber(single.get("--limit-processes")),
    files: toNumber(single.get("--limit-files")),
    file_bytes: BigInt(toNumber(single.get("--limit-file-bytes"))),
    memory_bytes: toNumber(single.get("--limit-memory-bytes")),
    required: toWalls(pairs.filter(([name]) => name === "--require").map(([, value]) => value)),
    argv,
  }
}

const limits = ["processes", "files", "file-bytes", "memory-bytes"].map((name) => `--limit-${name}`)
const known = new Set([
  ...limits,
  "--parent",
  "--folder",
  "--tmp",
  "--proxy",
  "--read",
  "--write",
  "--require",
])
const misuse = () => new Failed("usage", "EINVAL")

function toNumber(text: string | undefined): number {
  if (!/^\d{1,16}$/.test(text ?? "") || Number(text) === 0) throw misuse()
  return Number(text)
}

function toPath(text: string | undefined): string {
  if (!text?.startsWith("/") || Buffer.byteLength(text) > 4095) throw misuse()
  return text
}

function toWalls(lists: string[]): Set<Wall> {
  const names = lists.flatMap((list) => list.split(","))
  const isWall = (name: string): name is Wall => (walls as readonly string[]).includes(name)
  if (!names.every(isWall)) throw misuse()
  return new Set(names)
}

function checkThere(path: string, step: string): void {
  try {
    accessSync(path)
  } catch (thrown) {
    throw new Failed(step, (thrown as NodeJS.ErrnoException).code ?? "EIO")
  }
}
