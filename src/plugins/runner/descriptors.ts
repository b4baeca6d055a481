import type { FileEntry } from "../frames.ts"
import type { GuestFiles, OpenFile } from "./files.ts"
import { WasiError } from "./preview1.ts"

/** Of standard output and of standard error each; what is written beyond is dropped. */
const kept_bytes_max = 64 << 10
const descriptors_max = 64

export type Descriptor =
  | { type: "input" }
  | { type: "output"; text: KeptText }
  | FolderDescriptor
  | FileDescriptor

export type FolderDescriptor = {
  type: "folder"
  /** As it was granted. */
  folder: string
  writable: boolean
  /** Below it. */
  path: string
  /** Only of a granted folder itself: its name for the guest. */
  preopened: boolean
  /** What was listed when reading began. */
  entries?: FileEntry[]
}

export type FileDescriptor = {
  type: "file"
  file: OpenFile
  at: number
  readable: boolean
  writable: boolean
  append: boolean
}

export type KeptText = { write(bytes: Uint8Array): void; text(): string }

export function keepText(): KeptText {
  const kept: Uint8Array[] = []
  let length = 0
  return {
    write(bytes) {
      const part = bytes.subarray(0, kept_bytes_max - length)
      if (part.length === 0) return
      length += part.length
      kept.push(new Uint8Array(part))
    },
    text: () => new TextDecoder().decode(Buffer.concat(kept)),
  }
}

/** The descriptors of one call, by the guest's numbers. All of it throws WasiError. */
export type Descriptors = {
  get(number: number): Descriptor
  folder(number: number): FolderDescriptor
  file(number: number): FileDescriptor
  add(descriptor: Descriptor): number
  close(number: number): void
}

export function openDescriptors(files: GuestFiles, stdout: KeptText, stderr: KeptText): Descriptors {
  const table: (Descriptor | undefined)[] = [
    { type: "input" },
    { type: "output", text: stdout },
    { type: "output", text: stderr },
    ...files.folders.map(
      ({ path, writable }): Descriptor => ({
        type: "folder",
        folder: path,
        writable,
        path: "",
        preopened: true,
      }),
    ),
  ]
  const most = table.length + descriptors_max
  const descriptors: Descriptors = {
    get(number) {
      const found = table[number]
      if (!found) throw new WasiError("badf")
      return found
    },
    folder(number) {
      const found = descriptors.get(number)
      if (found.type !== "folder") throw new WasiError("notdir")
      return found
    },
    file(number) {
      const found = descriptors.get(number)
      if (found.type === "folder") throw new WasiError("isdir")
      if (found.type !== "file") throw new WasiError("spipe")
      return found
    },
    add(descriptor) {
      const free = table.indexOf(undefined)
      const number = free === -1 ? table.length : free
      if (number >= most) {
        if (descriptor.type === "file") files.close(descriptor.file)
        throw new WasiError("mfile")
      }
      table[number] = descriptor
      return number
    },
    close(number) {
      const found = descriptors.get(number)
      table[number] = undefined
      if (found.type === "file") files.close(found.file)
    },
  }
  return descriptors
}
