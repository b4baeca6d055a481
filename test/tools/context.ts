import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { parser } from "../../src/base/schema.ts"
import { openFiles } from "../../src/security/files/files.ts"
import type { Execute, Executed } from "../../src/security/sandbox/execute.ts"
import { type Target, ToolDenied } from "../../src/security/target.ts"
import { toolsSection } from "../../src/tools/config.ts"
import type { AnyTool, ToolContext, ToolMemory, ToolOutput } from "../../src/tools/tool.ts"

export type Options = {
  /** What the rules deny; everything else below the workspace is allowed. */
  denies?: (target: Target) => boolean
  execute?: Execute
  programs?: Record<string, string>
  results?: Record<string, string>
  memory?: ToolMemory
  /** Further folders that may be read. */
  read?: string[]
}

export type Workspace = Disposable & {
  folder: string
  context: ToolContext
  /** Makes a file with its folders. */
  put(path: string, content: string | Uint8Array): void
  /** What the model gets; throws what the tool throws. */
  run(tool: AnyTool, input: Record<string, unknown>): Promise<ToolOutput>
  /** As run, where no images are expected. */
  said(tool: AnyTool, input: Record<string, unknown>): Promise<string>
}

const unasked = () => Promise.reject(new Error("no test of files remembers"))
const no_memory: ToolMemory = { search: unasked, add: unasked, find: unasked, forget: unasked }

/** A real workspace in a folder of its own, behind the real walls of files. */
export function openWorkspace({
  denies,
  execute,
  programs,
  results,
  memory,
  read = [],
}: Options = {}): Workspace {
  const folder = mkdtempSync(join(tmpdir(), "weft-tools-"))
  const open = openFiles({ workspace: folder, read, write: [] })
  const permit = (target: Target): void => {
    if (denies?.(target)) throw new ToolDenied(`"${target.text}" may not be touched (${target.effect}).`)
  }
  const context: ToolContext = {
    agent: "default",
    session_key: "default:ws:default:main",
    signal: new AbortController().signal,
    now_ms: () => Date.now(),
    searchSessions: () => [],
    memory: memory ?? no_memory,
    files: open.for(permit),
    openFolder: () => open.for(permit),
    fetch: () => Promise.reject(new Error("no test of files fetches")),
    execute: execute ?? runBare(folder),
    findProgram: (name) => programs?.[name],
    mayTouch: (target) => !denies?.(target),
    findResult: (handle) => results?.[handle],
    config: parser(toolsSection.schema)({}),
  }
  const run = async (tool: AnyTool, input: Record<string, unknown>) => {
    const params = tool.parse(input)
    for (const target of (await tool.targets?.(params, context)) ?? []) permit(target)
    return await tool.run(params, context)
  }
  return {
    folder,
    context,
    put(path, content) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    },
    run,
    async said(tool, input) {
      const output = await run(tool, input)
      if (typeof output !== "string") throw new Error(`${tool.name} returned images`)
      return output
    },
    [Symbol.dispose]() {
      open[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The program itself, without walls: what the tools make of its output is the same. */
export function runBare(folder: string, missing: Executed["missing"] = []): Execute {
  return async ({ argv, timeout_ms, signal }) => {
    const begun = performance.now()
    const child = Bun.spawn([...argv], {
      cwd: folder,
      env: {},
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: timeout_ms,
      signal,
    })
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    const exit_code = await child.exited
    return {
      exit_code,
      signal: child.signalCode === null ? null : `${child.signalCode}`,
      stdout,
      stderr,
      stdout_bytes: Buffer.byteLength(stdout),
      stderr_bytes: Buffer.byteLength(stderr),
      timed_out: false,
      duration_ms: performance.now() - begun,
      missing,
    }
  }
}
