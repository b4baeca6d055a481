/**
 * What a terminal or a browser would not show as itself: control characters, line and paragraph separators, bidirectional
 * marks, zero-width and other format characters, blank letters, unassigned and private ones, half surrogates, tags,
 * variation selectors, and spaces that are not the space.
 */
const hidden =
  /\p{C}|\p{Zl}|\p{Zp}|(?! )\p{Zs}|\p{Variation_Selector}|[\u115f\u1160\u17b4\u17b5\u3164\uffa0]|\u034f/gu
const any_hidden = new RegExp(hidden.source, "u")

/**
 * The text so that two texts which differ look different: as it is where every character shows itself, else in quotes
 * and escaped.
 */
export function visible(text: string): string {
  // What begins with a quote would pass for something escaped.
  if (!text.startsWith('"') && !any_hidden.test(text)) return text
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
  return `"${escaped.replace(hidden, (character) => named[character] ?? toEscape(character))}"`
}

const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }
const toEscape = (character: string) => `\\u{${character.codePointAt(0)!.toString(16)}}`
