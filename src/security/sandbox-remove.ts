import { rm } from "node:fs/promises"

/**
 * Removes a folder and whatever a program left in it: folders that nobody may open, trees deeper than a path is long.
 * Links are not followed. Only once nothing runs in it any more. Throws Error where something stays.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
    return
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
  }
  // The system's own tools walk by descriptor, so that neither the length of a path nor a link leads them astray.
  for (const command of [
    ["/bin/chmod", "-R", "u+rwx", "--", folder],
    ["/bin/rm", "-rf", "--", folder],
  ]) {
    const child = Bun.spawn(command, { env: {}, cwd: "/", stdio: ["ignore", "ignore", "ignore"] })
    await child.exited
  }
  await rm(folder, { recursive: true, force: true })
}
