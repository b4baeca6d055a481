import { Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import type { Caller } from "../auth.ts"
import { defineMethod, Params } from "../rpc.ts"

const Strings = (description: string) => Type.Array(Type.String(), { description })

const Info = Type.Object({
  name: Type.String(),
  state: Type.String({ description: "ready, changed, missing, refused or unloaded." }),
  reason: Type.Optional(Type.String({ description: "Why it is not in service." })),
  version: Type.Optional(Type.String()),
  kind: Type.Optional(Type.String({ description: "tool or channel." })),
  engine: Type.Optional(Type.String({ description: "reactor or wasmer." })),
  path: Type.String(),
  sha256: Type.Optional(Type.String({ description: "Of the module that lies on the disk now." })),
  manifest_sha256: Type.Optional(Type.String()),
  asks: Strings("What its manifest asks for."),
  granted: Strings("What the configuration grants."),
  tools: Strings("Its tools in service, as models call them."),
  channel: Type.Optional(Type.String()),
  approved_ms: Type.Optional(Type.Integer({ description: "When what is in service was approved." })),
  approved_by: Type.Optional(Type.String()),
})

const Name = Type.String({ minLength: 1, maxLength: 64, description: "As the configuration calls it." })

export const pluginList = defineMethod({
  name: "plugin.list",
  summary: "The configured plugins and how they stand.",
  scope: "read",
  params: Params({}),
  result: Type.Object({ plugins: Type.Array(Info) }),
  run: (_params, { app }) => ({ plugins: app.plugins.list() }),
})

export const pluginLoad = defineMethod({
  name: "plugin.load",
  summary: "Approve a plugin as it lies on the disk now, and take it into service.",
  scope: "admin",
  params: Params({
    name: Name,
    sha256: Type.Optional(
      Type.String({
        pattern: "^[0-9a-f]{64}$",
        description: "Of the module that is meant; no other is taken.",
      }),
    ),
  }),
  result: Info,
  run({ name, sha256 }, { app, caller }) {
    checkReach(caller)
    return app.plugins.load(name, caller.name, sha256)
  },
})

export const pluginUnload = defineMethod({
  name: "plugin.unload",
  summary: "Take a plugin out of service until it is loaded again. Calls that run go on to their end.",
  scope: "admin",
  params: Params({ name: Name }),
  result: Info,
  run({ name }, { app, caller }) {
    checkReach(caller)
    return app.plugins.unload(name)
  },
})

/** What a plugin does it does for every agent that has its tools. */
function checkReach({ agents }: Caller): void {
  if (agents !== null) throw new AppError("forbidden", { what: "plugin", agents: [...agents] })
}
