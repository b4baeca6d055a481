import { join } from "node:path"

/**
 * Where the native files are; they may be missing, and empty stands for missing, too. In an executable this module is
 * another one, which scripts/executable.ts writes and which embeds the files for its target.
 */
export const kernel_path = join(import.meta.dir, "../../native/build/kernel.so")
export const sandbox_path = join(import.meta.dir, "../../native/build/sandbox")
export const is_embedded: boolean = false
