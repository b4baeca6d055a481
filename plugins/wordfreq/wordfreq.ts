/**
 * Counts the words of standard input: `wordfreq [--count=N] [--shortest=N]`. An ordinary WASI program that knows
 * nothing of Weft; what it is as a tool is said by its manifest alone.
 */
import { isAlpha } from "util/string"

class Word {
  constructor(
    public text: string,
    public count: i32,
  ) {}
}

let count = 20
let shortest = 1

for (let i = 1; i < process.argv.length; i++) {
  const word = process.argv[i]
  const equals = word.indexOf("=")
  const value = I32.parseInt(word.substring(equals + 1))
  if (word.startsWith("--count=") && value > 0) count = value
  else if (word.startsWith("--shortest=") && value > 0) shortest = value
  else {
    process.stderr.write(`wordfreq: "${word}" is none of --count=N and --shortest=N\n`)
    process.exit(2)
  }
}

const words = countWords(readAll().toLowerCase())
words.sort((a, b) => (a.count != b.count ? b.count - a.count : a.text < b.text ? -1 : 1))
let out = ""
for (let i = 0; i < min(count, words.length); i++) out += `${words[i].count}\t${words[i].text}\n`
process.stdout.write(out)

function readAll(): string {
  let all = new ArrayBuffer(65536)
  let length = 0
  let more = process.stdin.read(all)
  while (more > 0) {
    length += more
    if (length == all.byteLength) {
      const larger = new ArrayBuffer(length * 2)
      memory.copy(changetype<usize>(larger), changetype<usize>(all), length)
      all = larger
    }
    more = process.stdin.read(all, length)
  }
  return String.UTF8.decodeUnsafe(changetype<usize>(all), length)
}

/** Runs of letters and digits. */
function countWords(text: string): Word[] {
  const found = new Map<string, Word>()
  let start = 0
  for (let at = 0; at <= text.length; ) {
    const code = at < text.length ? text.codePointAt(at) : 0x20
    const width = code > 0xffff ? 2 : 1
    if (!isAlpha(code) && !(code >= 0x30 && code <= 0x39)) {
      if (at - start >= shortest && at > start) add(found, text.substring(start, at))
      start = at + width
    }
    at += width
  }
  return found.values()
}

function add(found: Map<string, Word>, text: string): void {
  if (found.has(text)) found.get(text).count++
  else found.set(text, new Word(text, 1))
}
