/** The bytes of an embedded file: scripts/executable.ts packs them, and sources name the file as it is. */
export async function readPacked(path: string): Promise<Uint8Array> {
  const bytes = await Bun.file(path).bytes()
  return path.endsWith(".zst") ? Bun.zstdDecompressSync(bytes) : bytes
}
