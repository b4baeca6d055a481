import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openFiles } from "../../src/security/files/files.ts"
import { openSandbox } from "../../src/security/sandbox/sandbox.ts"
import { search } from "../../src/tools/search/search.ts"
import { searchFiles } from "../../src/tools/search-files.ts"
import type { ToolContext } from "../../src/tools/tool.ts"
import { type Bench, interleave, median } from "../measure.ts"
import { makeHome } from "../servers.ts"

const files_count = 100_000
const files_in_folder = 100
/** In one file of a hundred, as a name in a project would be. */
const wanted = "needle"

/** Searching a tree of many small files, by our own walk and by ripgrep behind the walls, against ripgrep alone. */
export const searchTree: Bench = {
  name: "search",
  async measure({ quick }) {
    const program = Bun.which("rg")
    if (!program) throw new Error("ripgrep, which it is held against, is not installed here")
    using home = makeHome()
    const folder = join(home.path, "tree")
    makeTree(folder)
    const ask = await openSearch(folder, join(home.path, "gateway", "run"), process.env)
    try {
      const alone = () => timed(() => runAlone(program, folder))
      const ours = () => timed(() => ask.search("ourselves"))
      const installed = () => timed(() => ask.search("as it likes"))
      // What is read once is read from memory from then on, whoever reads it.
      for (const warm of [alone, ours, installed]) await warm()
      const rounds = quick ? 3 : 9
      const [own, own_reference] = await interleave(rounds, ours, alone)
      const [with_rg, rg_reference] = await interleave(rounds, installed, alone)
      if (ask.wallsMissing())
        throw new Error("the walls around programs do not hold here, so ripgrep is not used")
      const title = `search_files over ${files_count.toLocaleString("en")} files`
      return [
        figure(
          "search_own",
          `${title}, against ripgrep`,
          own,
          own_reference,
          `longest pause of the gateway ${ask.pause_ms().toFixed(1)} ms`,
        ),
        figure(
          "search_ripgrep",
          `${title} where ripgrep is installed, against ripgrep alone`,
          with_rg,
          rg_reference,
          ask.how(),
        ),
      ]
    } finally {
      await ask[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function figure(name: string, title: string, times: number[], references: number[], note?: string) {
  const [value, reference] = [median(times), median(references)]
  return { name, title, unit: "ms", value, reference, ratio: value / reference, ...(note ? { note } : {}) }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return performance.now() - begun
}

/** As a person would, its defaults and all, with the ignored and hidden files that the tool looks at. */
async function runAlone(program: string, folder: string): Promise<void> {
  const child = Bun.spawn([program, "--no-config", "--hidden", "--line-number", wanted, folder], {
    stdout: "pipe",
  })
  await new Response(child.stdout).text()
}

function makeTree(folder: string): void {
  for (let i = 0; i < files_count / files_in_folder; i++) {
    const below = join(folder, `part-${i % 40}`, `module-${i}`)
    mkdirSync(below, { recursive: true })
    for (let j = 0; j < files_in_folder; j++) writeFileSync(join(below, `file-${j}.ts`), textOf(i, j))
  }
}

/** About 1.7 kB, as sources are, and no two the same. */
function textOf(i: number, j: number): string {
  const lines = Array.from(
    { length: 20 + ((i * 7 + j * 13) % 60) },
    (_, line) => `  const value_${(i * 31 + j * 17 + line * 5) % 997} = compute_${line % 13}(input_${j})`,
  )
  if (j === 7) lines.push(`// ${wanted} ${i}`)
  return `${lines.join("\n")}\n`
}

async function openSearch(folder: string, run_folder: string, env: Record<string, string | undefined>) {
  const workspace = realpathSync(folder)
  const files = openFiles({ workspace, read: [], write: [] })
  const sandbox = openSandbox({
    policy: { mode: "prefer", workspace, read: [], write: [], network: [] },
    limits: { memory_bytes_max: 2 ** 31, processes_max: 256, file_bytes_max: 1 << 20 },
    run_folder,
    env,
  })
  let [walls_missing, pause_ms, runs] = [false, 0, 0]
  const context = {
    findProgram: () => Bun.which("rg") ?? undefined,
    signal: new AbortController().signal,
    files: files.for(() => undefined),
    mayTouch: () => true,
    async execute(program) {
      const done = await sandbox.execute(program)
      runs++
      walls_missing ||= done.missing.includes("landlock")
      return done
    },
  } satisfies Partial<ToolContext> as unknown as ToolContext
  return {
    wallsMissing: () => walls_missing,
    how: () => (runs > 0 ? "by ripgrep behind the walls" : "by our own walk, as ripgrep could not run"),
    pause_ms: () => pause_ms,
    async search(how: "ourselves" | "as it likes") {
      let last = performance.now()
      const timer = setInterval(() => {
        if (how === "ourselves") pause_ms = Math.max(pause_ms, performance.now() - last)
        last = performance.now()
      }, 1)
      const input = { pattern: wanted, limit: 1_000 }
      const said = await (how === "ourselves"
        ? search(input, context, undefined)
        : searchFiles.run(input, context))
      clearInterval(timer)
      const lines = `${said}`.split("\n").length
      if (lines !== files_count / files_in_folder) throw new Error(`a search found ${lines} lines`)
    },
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]()
      files[Symbol.dispose]()
    },
  }
}
