import { lstatSync } from "node:fs"
import { readdir, rm, rmdir } from "node:fs/promises"
import { join } from "node:path"

/** Begins the name of all that this process makes in a run folder. */
const own_name = crypto.randomUUID().slice(0, 8)

/** A name in the run folder that nobody else has. Short, as programs put sockets below it. */
export const newName = (): string => `${own_name}-${crypto.randomUUID().slice(0, 8)}`

/**
 * Removes what calls of a process that was killed left in the run folder. Only by who has the home to itself: what bears
 * another name than ours is taken for a dead one's. The helper stays. Throws Error where something else does, too.
 */
export async function removeLeftovers(run_folder: string): Promise<void> {
  const names = await readdir(run_folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return []
    throw thrown
  })
  for (const name of names)
    if (name !== "sandbox" && !name.startsWith(`${own_name}-`)) await removeTree(join(run_folder, name))
}

/**
 * Removes a folder and whatever a program left in it: folders that nobody may open, trees deeper than a path is long.
 * Links are not followed. Only once nothing runs in it any more. Throws Error where something stays.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    // As a rule nothing was left.
    return await rmdir(folder)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === undefined) throw thrown
  }
  // The system's own tools walk by descriptor, so that neither the length of a path nor a link leads them astray; and
  // Bun's own takes a quarter of a minute for 4,000 folders one in the other, and four times that for twice as many.
  const remove = ["rm", "-rf", "--", folder]
  for (const [name, ...words] of [remove, ["chmod", "-R", "u+rwx", "--", folder], remove]) {
    const program = Bun.which(name!)
    if (!program || !lstatSync(folder, { throwIfNoEntry: false })) break
    const child = Bun.spawn([program, ...words], { env: {}, cwd: "/", stdio: ["ignore", "ignore", "ignore"] })
    await child.exited
  }
  await rm(folder, { recursive: true, force: true })
}
