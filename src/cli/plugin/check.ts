/** Says what a module is without a gateway: it is gone over, run as far as its description, and nothing is granted. */
import { existsSync } from "node:fs"
import { defineCommand } from "citty"
import { manifestPath } from "../../plugins/service/files.ts"
import { json_arg } from "../args.ts"
import { printJson, printResult } from "../output.ts"
import { fields, harmless } from "../text.ts"
import { type Alone, openAlone } from "./alone.ts"

export const check = () =>
  defineCommand({
    meta: { name: "check", description: "Say what a module is and asks for, and whether it can be a plugin" },
    args: {
      file: { type: "positional", required: true, description: "The module; its manifest lies beside it" },
      ...json_arg,
    },
    async run({ args: { file, json } }) {
      await checkFile(file, json === true)
    },
  })

/** Prints what it is; the exit status is 1 where it cannot be a plugin. */
export async function checkFile(file: string, is_json: boolean): Promise<void> {
  await using alone = await openAlone(file, [])
  const report = toReport(alone, file)
  await (is_json ? printJson(report) : printResult(toText(report)))
  if (!report.ok) process.exitCode = 1
}

type Report = ReturnType<typeof toReport>

function toReport({ name, info, manifest, module, plugins }: Alone, file: string) {
  const { state, reason, sha256, manifest_sha256, asks, channel } = info
  const hints = [
    !existsSync(manifestPath(file)) &&
      `There is no ${manifestPath(file)}: it asks for nothing and has the default limits.`,
    manifest && manifest.name !== name && `Its manifest calls it ${manifest.name}, the file is ${name}.`,
    ...(plugins.missing() ?? []).map((wall) => `This system does not give a wall: ${wall}.`),
  ].filter((hint) => typeof hint === "string")
  return {
    ok: state === "ready",
    name,
    ...(reason !== undefined && { reason }),
    ...(manifest && { version: manifest.version, limits: manifest.limits }),
    kind: info.kind,
    engine: info.engine,
    tools: plugins
      .tools()
      .map(({ name, description, input_schema }) => ({ name, description, input_schema })),
    ...(channel !== undefined && { channel }),
    asks,
    sha256,
    manifest_sha256,
    bytes: module.length,
    gzip_bytes: Bun.gzipSync(module as Uint8Array<ArrayBuffer>).length,
    hints,
  }
}

function toText({ ok, reason, tools, asks, limits, hints, ...report }: Report): string {
  const shown = fields({
    name: report.name,
    version: report.version,
    kind: report.kind,
    engine: report.engine,
    channel: report.channel,
    "asks for": asks.join(" ") || "nothing",
    limits:
      limits &&
      `${limits.timeout_ms} ms, ${limits.memory_pages_max * 64} KiB of memory, ${limits.output_bytes_max} bytes of output`,
    size: `${report.bytes} bytes, ${report.gzip_bytes} compressed`,
    sha256: report.sha256,
  })
  const lines = tools.map(({ name, description, input_schema }) => {
    const params = Object.keys((input_schema.properties ?? {}) as object)
    return `  ${name}(${params.join(", ")})  ${description}`
  })
  return [
    shown,
    ...(lines.length > 0 ? ["tools", ...lines.map(harmless)] : []),
    ...hints.map((hint) => `note: ${hint}`),
    ok ? "It can be a plugin." : `Refused: ${reason}.`,
  ].join("\n")
}
