import { Type } from "@sinclair/typebox"
import { defineMethod, Params } from "../rpc.ts"

export const configGet = defineMethod({
  name: "config.get",
  summary: "The configuration in force, without secrets.",
  scope: "admin",
  params: Params({}),
  result: Type.Object({ config: Type.Record(Type.String(), Type.Unknown()) }),
  run: (_params, { app }) => ({ config: app.live().shown }),
})
