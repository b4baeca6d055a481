import { Type } from "@sinclair/typebox"
import { defineMethod, Params } from "../rpc.ts"

export const pluginList = defineMethod({
  name: "plugin.list",
  summary: "The plugins that run. This version runs none yet.",
  scope: "read",
  params: Params({}),
  result: Type.Object({ plugins: Type.Array(Type.Object({ name: Type.String() })) }),
  run: () => ({ plugins: [] }),
})
