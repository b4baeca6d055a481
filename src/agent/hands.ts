/** What an agent's tools reach the world with. Made for one call; each part is opened when it is first used. */
import { assert } from "../base/errors.ts"
import { once } from "../base/once.ts"
import type { FileGrants } from "../security/files/files.ts"
import type { Rules } from "../security/permissions.ts"
import type { SandboxLimits, SandboxPolicy } from "../security/sandbox/sandbox.ts"
import { type Permit, ToolDenied } from "../security/target.ts"
import type { ToolsConfig } from "../tools/config.ts"
import type { ToolContext } from "../tools/tool.ts"

/** Everything that limits an agent's tools. Follows from the configuration. */
export type Walls = {
  rules: Rules
  files: FileGrants
  sandbox: SandboxPolicy
  limits: SandboxLimits
  /** A folder for what lives as long as a call. */
  run_folder: string
  /** The gateway's own; programs get a clean one made from it. */
  env: Record<string, string | undefined>
  config: ToolsConfig
}

export type Hands = Pick<ToolContext, "files" | "openFolder" | "fetch" | "execute" | "findProgram"> &
  AsyncDisposable

/** `isOpened` says whether an address of this machine or its network was meant by who allowed it. */
export async function openHands(
  walls: Walls,
  permit: Permit,
  isOpened: (host: string, port: number) => boolean,
): Promise<Hands> {
  // Most turns call no tool, and a start should not pay for the walls.
  const [{ findProgram }, { openFetch }, { openFiles }, { openSandbox }] = await Promise.all([
    import("../security/sandbox/environment.ts"),
    import("../security/web/fetch.ts"),
    import("../security/files/files.ts"),
    import("../security/sandbox/sandbox.ts"),
  ])
  const stack = new AsyncDisposableStack()
  const files = once(() => stack.use(openFiles(walls.files)).for(permit))
  const fetch = once(() => openFetch({ permit, isOpened }))
  const sandbox = once(() => {
    const { sandbox: policy, limits, run_folder, env } = walls
    return stack.use(openSandbox({ policy, limits, run_folder, env }))
  })
  return {
    get files() {
      return files()
    },
    openFolder(path, is_writable) {
      assert(path.startsWith("/"), "a folder is opened by its absolute path")
      const grants = toFolderGrants(walls.files, path, is_writable)
      return stack.use(openFiles(grants)).for(permit)
    },
    fetch: (request) => fetch()(request),
    execute: (program) => sandbox().execute(program),
    findProgram: (name) => findProgram(name, walls.env, walls.files.workspace),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** That folder and nothing else; the gateway's own files are as forbidden there, and names are the same. */
const toFolderGrants = (
  { workspace, forbidden = [] }: FileGrants,
  path: string,
  is_writable: boolean,
): FileGrants => ({
  ...{ workspace, forbidden, is_workspace_closed: true },
  read: is_writable ? [] : [path],
  write: is_writable ? [path] : [],
})

const refuse = (): never => {
  throw new ToolDenied("A tool that says that it has no effect reaches nothing.")
}

/** For tools without an effect, which nobody is asked about. */
export const no_hands: Hands = {
  get files() {
    return refuse()
  },
  openFolder: refuse,
  fetch: refuse,
  execute: refuse,
  findProgram: refuse,
  [Symbol.asyncDispose]: () => Promise.resolve(),
}
