import { type Static, type TSchema, Type } from "@sinclair/typebox"

export type Section<N extends string = string, S extends TSchema = TSchema> = { name: N; schema: S }

/**
 * Declares one top-level key of the configuration file: its type, defaults, limits and documentation. Every
 * field has a `description`; `examples` feed the example file; `restart: true` marks what a running gateway
 * cannot take over, `file: true` a path that is relative to the configuration. `config/load.ts` fills the defaults and checks.
 */
export function defineSection<N extends string, S extends TSchema>(name: N, schema: S): Section<N, S> {
  return { name, schema }
}

/**
 * A value that is secret: `{ env = "NAME" }`, `{ file = "path" }` or (with a warning, unless `literal` says that it
 * is usual) the text itself. Its type is that of the loaded configuration, in which it is resolved.
 */
export const Secret = (options: { description: string; literal?: boolean; examples?: unknown[] }) =>
  Type.Unsafe<string>(
    Type.Union(
      [
        Type.String({ minLength: 1 }),
        Type.Object(
          { env: Type.String({ minLength: 1, description: "The environment variable that holds it." }) },
          { additionalProperties: false },
        ),
        Type.Object(
          {
            file: Type.String({
              minLength: 1,
              description: "A file with it, relative to the configuration.",
            }),
          },
          { additionalProperties: false },
        ),
      ],
      { ...options, secret: true },
    ),
  )

export const isSecret = (schema: TSchema): boolean => schema.secret === true

// biome-ignore lint/suspicious/noExplicitAny: a list of sections forgets each one's schema.
export type AnySection = Section<string, any>

/** The type of the whole configuration, from the list of its sections. */
export type ConfigOf<L extends readonly AnySection[]> = {
  [E in L[number] as E["name"]]: Static<E["schema"]>
}
