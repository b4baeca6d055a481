/** A unified diff, by Myers' algorithm: as few lines as may be are removed and added. */

/** Above so many changed lines the middle is replaced as a whole; what it keeps grows with their square. */
const edits_max = 1000

const same: u8 = 0
const removed: u8 = 1
const added: u8 = 2

export function diff(before: string, after: string, context: i32): string {
  if (before == after) return ""
  const old_lines = toLines(before)
  const new_lines = toLines(after)
  const steps = compare(old_lines, new_lines)
  return `--- before\n+++ after\n${hunks(old_lines, new_lines, steps, context)}`
}

/** With its end each, so that a missing one at the end of the text is a difference. */
function toLines(text: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at)
    const next = end < 0 ? text.length : end + 1
    lines.push(text.substring(at, next))
    at = next
  }
  return lines
}

/** What happens to each line, in order. */
function compare(old_lines: string[], new_lines: string[]): u8[] {
  const numbers = new Map<string, i32>()
  const a = toNumbers(old_lines, numbers)
  const b = toNumbers(new_lines, numbers)
  let start = 0
  while (start < a.length && start < b.length && a[start] == b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] == b[b.length - 1 - end])
    end++
  const steps: u8[] = []
  for (let i = 0; i < start; i++) steps.push(same)
  const middle = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end))
  for (let i = 0; i < middle.length; i++) steps.push(middle[i])
  for (let i = 0; i < end; i++) steps.push(same)
  return steps
}

/** Lines are compared often: equal ones get an equal number. */
function toNumbers(lines: string[], numbers: Map<string, i32>): i32[] {
  const found: i32[] = []
  for (let i = 0; i < lines.length; i++) {
    if (!numbers.has(lines[i])) numbers.set(lines[i], numbers.size)
    found.push(numbers.get(lines[i]))
  }
  return found
}

function shortest(a: i32[], b: i32[]): u8[] {
  const bound = min(a.length + b.length, edits_max)
  /** The furthest place in a on each diagonal, and what it was before each edit. */
  const furthest = new StaticArray<i32>(2 * bound + 3)
  const trace: StaticArray<i32>[] = []
  for (let edits = 0; edits <= bound; edits++) {
    trace.push(furthest.slice<StaticArray<i32>>(bound - edits, bound + edits + 3))
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = bound + 1 + diagonal
      const goes_down = diagonal == -edits || (diagonal != edits && furthest[at - 1] < furthest[at + 1])
      let x = goes_down ? furthest[at + 1] : furthest[at - 1] + 1
      while (x < a.length && x - diagonal < b.length && a[x] == b[x - diagonal]) x++
      furthest[at] = x
      if (x >= a.length && x - diagonal >= b.length) return walkBack(a, b, trace)
    }
  }
  const steps: u8[] = []
  for (let i = 0; i < a.length; i++) steps.push(removed)
  for (let i = 0; i < b.length; i++) steps.push(added)
  return steps
}

function walkBack(a: i32[], b: i32[], trace: StaticArray<i32>[]): u8[] {
  const steps: u8[] = []
  let x = a.length
  let y = b.length
  for (let edits = trace.length - 1; edits > 0; edits--) {
    const furthest = trace[edits]
    const at = x - y + edits + 1
    const goes_down = x - y == -edits || (x - y != edits && furthest[at - 1] < furthest[at + 1])
    const from_x = goes_down ? furthest[at + 1] : furthest[at - 1]
    const from_y = from_x - (goes_down ? x - y + 1 : x - y - 1)
    for (; x > from_x && y > from_y; x--, y--) steps.push(same)
    steps.push(goes_down ? added : removed)
    x = from_x
    y = from_y
  }
  for (; x > 0; x--) steps.push(same)
  return steps.reverse()
}

function hunks(old_lines: string[], new_lines: string[], steps: u8[], context: i32): string {
  const out: string[] = []
  let x = 0
  let y = 0
  for (let at = 0; at < steps.length; ) {
    const start = nextChange(steps, at)
    if (start == steps.length) break
    const first = max(at, start - context)
    x += first - at
    y += first - at
    const end = endOfHunk(steps, start, context)
    const body: string[] = []
    const from_x = x
    const from_y = y
    for (let i = first; i < end; i++) {
      if (steps[i] == added) body.push(toLine("+", new_lines[y++]))
      else if (steps[i] == removed) body.push(toLine("-", old_lines[x++]))
      else {
        body.push(toLine(" ", old_lines[x++]))
        y++
      }
    }
    out.push(`@@ -${range(from_x, x - from_x)} +${range(from_y, y - from_y)} @@\n`)
    out.push(body.join(""))
    at = end
  }
  return out.join("")
}

function nextChange(steps: u8[], start: i32): i32 {
  let at = start
  while (at < steps.length && steps[at] == same) at++
  return at
}

/** Changes whose context touches are one hunk. */
function endOfHunk(steps: u8[], start: i32, context: i32): i32 {
  let at = start
  let next = start
  do {
    at = next
    while (at < steps.length && steps[at] != same) at++
    next = nextChange(steps, at)
  } while (next < steps.length && next - at <= 2 * context)
  return min(steps.length, at + context)
}

/** An empty range is said by the line before it. */
function range(start: i32, count: i32): string {
  return count == 0 ? `${start},0` : count == 1 ? `${start + 1}` : `${start + 1},${count}`
}

function toLine(sign: string, line: string): string {
  return line.endsWith("\n") ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`
}
