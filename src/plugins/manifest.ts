import type { Manifest } from "./plugin.ts"

/** Reads a manifest; `file` is for the errors. Throws AppError invalid_config with every problem and its place. */
export async function readManifest(_text: string, _file: string): Promise<Manifest> {
  throw new Error("not yet")
}

/** The words of a program's command line for an input that its schema has accepted. */
export function fillArgs(_args: readonly string[], _input: Record<string, unknown>): string[] {
  throw new Error("not yet")
}
