/** Builds dist/weft for this machine, and its source maps for scripts/trace.ts beside it; `--target NAME` or `--target all` for others. */
import { rmSync, statSync } from "node:fs"
import { parseArgs } from "node:util"
import { buildExecutable, buildMaps, isTarget, type Target, targets } from "./executable.ts"
import { buildNative, fetchZig } from "./native.ts"
import { buildPlugins, pluginNames } from "./plugins.ts"

const { values } = parseArgs({ options: { target: { type: "string" } } })

for (const target of wantedTargets(values.target)) {
  const suffix = target ? `-${target}${target.startsWith("windows") ? ".exe" : ""}` : ""
  const outfile = `dist/weft${suffix}`
  if (target) fetchZig(target)
  const bytes = await buildExecutable("src/main.ts", outfile, target)
  await buildMaps("src/main.ts", outfile, `${outfile}.maps.json`, target)
  const empty_outfile = `dist/empty${suffix}`
  const empty_bytes = await buildExecutable("bench/reference/empty.ts", empty_outfile, target)
  rmSync(empty_outfile)
  const ratio = (bytes / empty_bytes).toFixed(3)
  console.log(
    `${outfile}  ${megabytes(bytes)} MB, ${ratio} × an empty executable (${megabytes(empty_bytes)} MB), ${nativeIn(target)}`,
  )
}

const { skipped } = await buildPlugins()
console.log(`dist/plugins  ${pluginNames().length - skipped.length} plugins`)
for (const { name, reason } of skipped) console.log(`without ${name}: ${reason}`)

function wantedTargets(name: string | undefined): (Target | undefined)[] {
  if (name === undefined) return [undefined]
  if (name === "all") return Object.keys(targets).filter(isTarget)
  if (isTarget(name)) return [name]
  console.error(`error: there is no target "${name}"; one of all, ${Object.keys(targets).join(", ")}`)
  process.exit(2)
}

/** Which of the native files are in the executable: those that could be built for its system. */
function nativeIn(target: Target | undefined): string {
  const { kernel, sandbox } = buildNative(target)
  const there = Object.entries({ kernel, sandbox }).filter(([, path]) => statSync(path).size > 0)
  return there.length > 0 ? `with the native ${there.map(([name]) => name).join(" and ")}` : "nothing native"
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
