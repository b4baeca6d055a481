import { type AppError, toAppError } from "../../base/errors.ts"

/** What one check found: one line. */
export type Finding = {
  what: string
  /** "warn" is for what works, though not as well or as safely as it could. */
  level: "ok" | "warn" | "fail"
  detail: string
  remedy?: string
}

const words = { ok: "ok  ", warn: "warn", fail: "FAIL" }

export const toLine = ({ what, level, detail, remedy }: Finding): string =>
  `${words[level]}  ${what}: ${detail}${remedy === undefined ? "" : ` → ${remedy}`}`.replaceAll("\n", " ")

export const ok = (what: string, detail: string): Finding => ({ what, level: "ok", detail })
export const warn = (what: string, detail: string, remedy: string): Finding => ({
  what,
  level: "warn",
  detail,
  remedy,
})
export const fail = (what: string, detail: string, remedy: string): Finding => ({
  what,
  level: "fail",
  detail,
  remedy,
})

/** What went wrong in words, with the reason where one is known. */
export function reasonOf(thrown: unknown): string {
  const { message, data, cause }: AppError = toAppError(thrown)
  const reason = data.reason ?? (cause instanceof Error ? cause.message : undefined)
  return reason === undefined ? message : `${message} (${reason})`
}
