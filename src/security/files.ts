import type { Permit, Target } from "./target.ts"

export type FileStat = { type: "file" | "folder" | "link" | "other"; bytes: number; modified_ms: number }

export type Folder = { entries: (FileStat & { name: string })[] }

/**
 * An agent's view of the disk: its workspace and the further folders it was granted, each opened once as a directory
 * descriptor. Everything else does not open, however it is spelled and whatever links are swapped meanwhile. Paths are
 * relative to the workspace or absolute; those in answers are, too. All of them throw ToolDenied outside of the granted
 * folders or where `permit` does, and Error with a sentence for the model otherwise (missing, a folder, a device, …).
 */
export type Files = {
  /** Absolute, without links. */
  workspace: string
  /** The path as rules see it: without "." and "..", relative in the workspace. Need not be there. Opens nothing. */
  toTarget(path: string, effect: "read" | "write"): Target
  /** Regular files only, at most `bytes_max` of them from `offset`. */
  read(path: string, range?: { offset?: number; bytes_max?: number }): Promise<{ bytes: Uint8Array; stat: FileStat }>
  /**
   * Replaces or makes a file in one step (another name first, then renamed), with the mode it had. Makes missing
   * folders. `expected` is what the file must still hold (undefined: anything, null: nothing must be there), else it
   * throws and nothing is written.
   */
  write(path: string, bytes: Uint8Array, expected?: Uint8Array | null): Promise<{ created: boolean }>
  list(path: string): Promise<Folder>
  stat(path: string): Promise<FileStat>
}

/** What the folders of an agent are; absolute paths. The workspace is made when it is missing. */
export type FileGrants = { workspace: string; read: readonly string[]; write: readonly string[] }

export type OpenFiles = Disposable & {
  /** The same folders for one call, which may do what `permit` lets it. */
  for(permit: Permit): Files
}
