/** Writes what is generated from the declarations: docs/reference, docs/examples and the client's files. */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { renderUsage } from "citty"
import { errors } from "../src/base/errors.ts"
import type { AnyCommand } from "../src/cli/find-command.ts"
import { rootCommand } from "../src/cli/root.ts"
import { methods, names, sections, tools } from "../src/registry.ts"
import { clientFiles } from "./reference/client.ts"
import { configReference } from "./reference/config.ts"
import { cliPage, errorsPage, providersPage, rpcPage, toolsPage } from "./reference/pages.ts"

const root = rootCommand({
  version: "",
  startGateway: () => Promise.reject(new Error("the reference starts nothing")),
  inspect: () => Promise.reject(new Error("the reference looks at no home")),
  configCommand: async () =>
    (await import("../src/cli/commands/config.ts")).configCommand({ sections, names }) as AnyCommand,
})

const generated = [
  ...configReference(sections),
  ...(await clientFiles([...methods])),
  rpcPage(methods),
  errorsPage(errors),
  toolsPage(tools),
  providersPage(),
  await cliPage(root, renderUsage),
]
for (const { path, text } of generated) {
  mkdirSync(dirname(path), { recursive: true })
  await Bun.write(path, text)
}
