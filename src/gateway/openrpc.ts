import type { TObject, TSchema } from "@sinclair/typebox"
import { errors } from "../base/errors.ts"
import type { MethodInfo } from "./app.ts"

/** The method table as an OpenRPC 1.3 document (https://spec.open-rpc.org). */
export function openRpcDocument(methods: readonly MethodInfo[], version: string): object {
  return {
    openrpc: "1.3.2",
    info: {
      title: "Weft gateway",
      version,
      description: "JSON-RPC 2.0 over a WebSocket at /ws or POST /rpc.",
    },
    methods: methods.map((method) => ({
      name: method.name,
      summary: method.summary,
      description: `Scope: ${method.scope}.`,
      paramStructure: "by-name",
      params: paramsOf(method.params),
      result: { name: "result", schema: method.result },
      "x-scope": method.scope,
    })),
    components: {
      errors: Object.fromEntries(
        Object.entries(errors).map(([word, { rpc, message }]) => [
          word,
          { code: rpc, message, data: { code: word } },
        ]),
      ),
    },
  }
}

/** A union of objects is told as its fields, none of which is always needed. */
function paramsOf(schema: TSchema): object[] {
  const objects = (schema.anyOf ?? [schema]) as TObject[]
  return objects.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).map(([name, field]) => ({
      name,
      required: objects.length === 1 && required.includes(name) && field.default === undefined,
      schema: field,
    })),
  )
}
