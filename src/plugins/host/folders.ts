/** The files of granted folders, behind the walls of the agent's own. */
import { posix } from "node:path"
import { Type } from "@sinclair/typebox"
import { assert } from "../../base/errors.ts"
import type { Files, FileStat as Found } from "../../security/files/files.ts"
import { type FileEntry, type FileStat, file_bytes_max } from "../frames.ts"
import { findFolderGrant } from "./grants.ts"
import {
  argumentParser,
  type HostFunction,
  type HostMeans,
  HostRefused,
  nothing,
  toAnswer,
} from "./refused.ts"

const path_bytes_max = 4095

const parseArgument = argumentParser(
  Type.Object({ folder: Type.String(), path: Type.String() }, { additionalProperties: false }),
)

type Place = { files: Files; path: string; bytes: Uint8Array }

/** The functions of one call; a folder is opened once. */
export function folderFunctions(means: HostMeans): Record<string, HostFunction> {
  const opened = new Map<string, Files>()
  const locate = (argument: Uint8Array, use: "read" | "write"): Place => {
    const { json, bytes } = split(argument)
    const { folder, path } = parseArgument(json)
    const grant = findFolderGrant(means.capabilities, folder)
    if (!grant) throw new HostRefused("denied", "no grant covers that folder")
    if (use === "write" && !grant.writable)
      throw new HostRefused("denied", "the folder is granted for reading")
    assert(grant.path.startsWith("/"), "a granted folder is absolute by now")
    const files = opened.get(grant.path) ?? means.openFolder(grant.path, grant.writable)
    opened.set(grant.path, files)
    return { files, path: posix.join(grant.path, relative(path)), bytes }
  }
  return {
    async fs_read(argument) {
      const { files, path } = locate(argument, "read")
      const { bytes, stat } = await files.read(path, { bytes_max: file_bytes_max })
      if (stat.bytes > file_bytes_max) throw tooLong()
      return bytes
    },
    async fs_write(argument) {
      const { files, path, bytes } = locate(argument, "write")
      if (bytes.length > file_bytes_max) throw tooLong()
      await files.write(path, bytes)
      return nothing
    },
    async fs_list(argument) {
      const { files, path } = locate(argument, "read")
      const { entries } = await files.list(path)
      const list = entries.map(({ name, type }): FileEntry => ({ name, type: toType(type) }))
      return toAnswer(list, means.output_bytes_max)
    },
    async fs_stat(argument) {
      const { files, path } = locate(argument, "read")
      const { type, bytes, modified_ms } = await files.stat(path)
      const stat: FileStat = { type: toType(type), size_bytes: bytes, modified_ms }
      return toAnswer(stat, means.output_bytes_max)
    },
  }
}

const tooLong = () => new HostRefused("too_large", `a file has at most ${file_bytes_max} bytes`)

const toType = (type: Found["type"]): FileEntry["type"] => (type === "link" ? "other" : type)

function split(argument: Uint8Array): { json: Uint8Array; bytes: Uint8Array } {
  const length = argument.length < 4 ? Number.POSITIVE_INFINITY : Buffer.from(argument).readUInt32LE(0)
  if (length > argument.length - 4) throw new HostRefused("invalid", "the argument is shorter than it says")
  return { json: argument.subarray(4, 4 + length), bytes: argument.subarray(4 + length) }
}

/** The walls hold without it; what climbs is told apart from what is not there. */
function relative(path: string): string {
  if (path.includes("\0") || !path.isWellFormed() || Buffer.byteLength(path) > path_bytes_max) {
    throw new HostRefused("invalid", "the path makes no sense")
  }
  if (path.startsWith("/") || path.split("/").includes("..")) {
    throw new HostRefused("denied", "the path leads out of its folder")
  }
  return path
}
