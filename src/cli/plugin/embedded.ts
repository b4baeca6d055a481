import { readFileSync } from "node:fs"
import { join } from "node:path"

/**
 * A file of plugins/sdk, by its path there. In an executable this module is another one, which scripts/executable.ts
 * writes and which has the files in it: an import would have AssemblyScript taken for TypeScript.
 */
export const readSdk = (name: string): string =>
  readFileSync(join(import.meta.dir, "../../../plugins/sdk", name), "utf8")
