/** The day that a name of one stands for, where nothing in the words is a date already. */
export function dayOf(
  folded: string,
  days: ReadonlyMap<string, string>,
  said_ms: number,
): string | undefined {
  // "Tuesday 18" and "14 March" are days already; "Friday at 10" and "tomorrow, 9:30" are not.
  if (
    /\d{1,2}(?:\.|st|nd|rd|th)?\s*(?:de\s+)?\p{L}{3,}|\d[./-]\d|[月号日]/u.test(
      folded.replace(/\d{1,2}[:.h]\d{2}/g, ""),
    )
  )
    return undefined
  for (const [name, value] of days) {
    if (!folded.includes(name)) continue
    const said = new Date(said_ms)
    const offset = value.startsWith("+") ? Number(value) : ((Number(value) - said.getDay() + 6) % 7) + 1
    const date = new Date(said.getFullYear(), said.getMonth(), said.getDate() + offset)
    const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    return parts.map((part) => String(part).padStart(2, "0")).join("-")
  }
  return undefined
}
