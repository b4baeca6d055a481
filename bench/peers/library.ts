import { existsSync } from "node:fs"
import { dirname, join } from "node:path"

/**
 * Installs a library into its own folder here, of the version that is written there, with its lock; the second time
 * nothing is fetched. What is built from source there needs the headers of a Node that is installed here.
 */
export async function installLibrary(name: string): Promise<string> {
  const folder = join(import.meta.dir, name)
  const installed = join(folder, "node_modules/.installed")
  const library = join(folder, "node_modules", name)
  if (existsSync(installed)) return library
  const node = Bun.which("node")
  const prefix = node ? dirname(dirname(node)) : "/usr"
  const child = Bun.spawn([process.execPath, "install", "--frozen-lockfile"], {
    cwd: folder,
    env: { ...process.env, npm_config_nodedir: prefix },
    stdout: "ignore",
    stderr: "pipe",
  })
  const [error, status] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (status !== 0) throw new Error(`${name} could not be installed: ${error.trim()}`)
  await Bun.write(installed, "")
  return library
}
