import { defineCommand } from "citty"
import { json_arg } from "../args.ts"
import type { Deps } from "../deps.ts"
import { printJson, printResult } from "../output.ts"

export const version = (deps: Deps) =>
  defineCommand({
    meta: { name: "version", description: "Print the version" },
    args: json_arg,
    run: ({ args }) =>
      args.json
        ? printJson({
            version: deps.version,
            bun: Bun.version,
            platform: process.platform,
            arch: process.arch,
          })
        : printResult(`weft ${deps.version}`),
  })
