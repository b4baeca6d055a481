import type { Static, TSchema } from "@sinclair/typebox"
import { type TypeCheck, TypeCompiler, type ValueError } from "@sinclair/typebox/compiler"
import { Value } from "@sinclair/typebox/value"
import { AppError, type ErrorCode } from "./errors.ts"

export type Parse<S extends TSchema> = (value: unknown) => Static<S>

/**
 * Fills defaults into the value itself, then narrows it or throws `code` with `path` (a JSON pointer) and
 * `expected`. It does not copy: a copy would turn an own `__proto__` key into a prototype and hide it from
 * the check. Compiles the schema on first use.
 */
export function parser<S extends TSchema>(schema: S, code: ErrorCode = "invalid_params"): Parse<S> {
  let check: TypeCheck<S> | undefined
  return (value) => {
    check ??= TypeCompiler.Compile(schema)
    const filled = Value.Default(schema, value)
    if (check.Check(filled)) return filled
    const first = check.Errors(filled).First()
    throw new AppError(code, { path: first?.path || "/", expected: first && expectationOf(first) })
  }
}

/** TypeBox only says that a union was expected; where it is a choice of values, they are named. */
function expectationOf({ schema, message }: ValueError): string {
  const variants = (schema.anyOf ?? []) as TSchema[]
  const values = variants.map((variant) => (variant.type === "null" ? null : variant.const))
  const choice = variants.length > 0 && values.every((value) => value !== undefined)
  return choice ? `one of ${values.map((value) => JSON.stringify(value)).join(", ")}` : message
}
