const [open_brace, close_brace, open_bracket, close_bracket, quote, backslash] = [123, 125, 91, 93, 34, 92]
const comma = 44

/**
 * Whether JSON text nests deeper than `depth_max`, found without parsing it: the parser would go five million
 * levels down, and what comes after it would not come back up.
 */
export function isDeeper(text: string, depth_max: number): boolean {
  // Each level takes a bracket of its own.
  return text.length > depth_max && isBeyond(text, depth_max, Number.POSITIVE_INFINITY)
}

/**
 * Whether JSON text nests deeper than `depth_max` or has more than `values_max` values, a list or an object being two,
 * found without parsing it: eight megabytes of empty lists take the parser a quarter of a second, and 100 MB.
 */
export function isBeyond(text: string, depth_max: number, values_max: number): boolean {
  let depth = 0
  // Every value but the first of a list or an object has a comma before it.
  let values = 1
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === quote) i = endOfString(text, i)
    else if (code === comma) values++
    else if (code === open_brace || code === open_bracket) {
      depth++
      values++
    } else if (code === close_brace || code === close_bracket) depth--
    if (depth > depth_max || values > values_max) return true
  }
  return false
}

/** The index of the quote that ends the string which begins at `start`; the text's end where none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}
