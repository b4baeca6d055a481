import type { TSchema } from "@sinclair/typebox"
import { fieldsOf, isTable, keyOf, type Path } from "./schema-tree.ts"
import type { AnySection } from "./section.ts"

/** The keys that differ and whose declaration says `restart: true`: a running gateway goes on with the old ones. */
export function changesNeedingRestart(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
  sections: readonly AnySection[],
): string[] {
  return sections.flatMap(({ name, schema }) => changes(schema, from[name], to[name], [name]))
}

function changes(schema: TSchema, from: unknown, to: unknown, path: Path): string[] {
  if (schema.restart === true) return Bun.deepEquals(from, to, true) ? [] : [keyOf(path)]
  return Object.entries(fieldsOf(schema) ?? {}).flatMap(([key, field]) =>
    changes(field, isTable(from) ? from[key] : undefined, isTable(to) ? to[key] : undefined, [...path, key]),
  )
}
