import { ptr } from "bun:ffi"
import { closeSync, constants, fstatSync, openSync } from "node:fs"
import { O_PATH } from "../beneath.ts"
import { type Calls, lastError } from "./calls.ts"

/** The same numbers on every machine. */
const create_ruleset = 444
const add_rule = 445
const restrict_self = 446
const ask_version = 1
const rule_path_beneath = 1

const execute = 1n << 0n
const write_file = 1n << 1n
const read_file = 1n << 2n
const read_dir = 1n << 3n
const make_char = 1n << 6n
const make_block = 1n << 11n
const refer = 1n << 13n
const truncate = 1n << 14n
const ioctl_dev = 1n << 15n
const all_of_first_version = (1n << 13n) - 1n
const bind_and_connect_tcp = 0b11n
/** Abstract sockets and signals. */
const scopes = 0b11n

const file_rights = execute | write_file | read_file | truncate | ioctl_dev
const read_rights = execute | read_file | read_dir

/** The processes of others are in this /proc: of them a program sees none, not even their names. */
const harmless = ["self", "cpuinfo", "meminfo", "stat", "version", "uptime", "loadavg", "filesystems"]

/** 0 where there is none. */
export function landlockVersion(calls: Calls): number {
  return Math.max(0, Number(calls.syscall(create_ruleset, 0, 0, ask_version, 0)))
}

export type PathGrant = { path: string; is_writable: boolean }

/**
 * Shuts this thread, and all that comes of it, into what is granted: the rules of native/sandbox-landlock.h for a file
 * tree that is not its own. Needs no_new_privs. Returns the error's name, or undefined.
 */
export function applyLandlock(
  calls: Calls,
  version: number,
  grants: readonly PathGrant[],
): string | undefined {
  if (version < 1) return "ENOSYS"
  const all =
    all_of_first_version |
    (version >= 2 ? refer : 0n) |
    (version >= 3 ? truncate : 0n) |
    (version >= 5 ? ioctl_dev : 0n)
  const attributes = new BigUint64Array([
    all,
    version >= 4 ? bind_and_connect_tcp : 0n,
    version >= 6 ? scopes : 0n,
  ])
  const bytes = version >= 6 ? 24 : version >= 4 ? 16 : 8
  const ruleset = Number(calls.syscall(create_ruleset, ptr(attributes), bytes, 0, 0))
  if (ruleset < 0) return lastError(calls)
  // Devices are never made, and REFER is a right of both folders of a rename.
  const write_rights = all & ~(make_char | make_block | ioctl_dev)
  const rules = [
    ...grants.map(({ path, is_writable }) => ({ path, rights: is_writable ? write_rights : read_rights })),
    ...harmless.map((name) => ({ path: `/proc/${name}`, rights: read_file | read_dir })),
  ]
  try {
    for (const { path, rights } of rules) {
      const failed = grantPath(calls, ruleset, path, rights)
      if (failed && failed !== "ENOENT" && failed !== "EACCES") return failed
    }
    return Number(calls.syscall(restrict_self, ruleset, 0, 0, 0)) === 0 ? undefined : lastError(calls)
  } finally {
    closeSync(ruleset)
  }
}

function grantPath(calls: Calls, ruleset: number, path: string, wanted: bigint): string | undefined {
  let fd: number
  try {
    fd = openSync(path, O_PATH)
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code
  }
  try {
    const kind = fstatSync(fd).mode & constants.S_IFMT
    let rights = kind === constants.S_IFDIR ? wanted : wanted & file_rights
    // A device is used, not run; and it is not ours to reprogram.
    if (kind === constants.S_IFCHR) rights &= ~(execute | ioctl_dev)
    const rule = Buffer.alloc(12)
    rule.writeBigUInt64LE(rights, 0)
    rule.writeInt32LE(fd, 8)
    const done = Number(calls.syscall(add_rule, ruleset, rule_path_beneath, ptr(rule), 0))
    return done === 0 ? undefined : lastError(calls)
  } finally {
    closeSync(fd)
  }
}
