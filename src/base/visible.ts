/**
 * What a terminal or a browser would not show as itself: control characters, line and paragraph separators, bidirectional
 * marks, zero-width and other format characters, blank letters and signs, unassigned and private ones, half surrogates,
 * tags, variation selectors, spaces that are not the space, and so many spaces that what follows is out of sight.
 */
const hidden =
  /\p{C}|\p{Zl}|\p{Zp}|(?! )\p{Zs}|\p{Default_Ignorable_Code_Point}|[\u2800\u{16fe4}\u{1d159}]| {33,}/gu
/** What would pass for something escaped, and spaces that nobody sees where they are. */
const ambiguous = /^"|^ | $|^$/
const any_hidden = new RegExp(hidden.source, "u")

/**
 * The text so that two texts which differ look different: as it is where every character shows itself, else in quotes
 * and escaped.
 */
export function visible(text: string): string {
  if (!ambiguous.test(text) && !any_hidden.test(text)) return text
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
  return `"${escaped.replace(hidden, toEscapes)}"`
}

const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }
/** Of one character, or of a run of spaces. */
const toEscapes = (found: string) =>
  found.startsWith(" ")
    ? "\\u{20}".repeat(found.length)
    : (named[found] ?? `\\u{${found.codePointAt(0)!.toString(16)}}`)
