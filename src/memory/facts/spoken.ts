/** Which parts of a message are the user's own words. */

/** In place of every character that somebody else wrote, or may have: no word, and the end of every value. */
export const silence = "\ue000"

const quotes: Record<string, string> = {
  '"': '"',
  "“": "”",
  "”": "”",
  "„": "“”",
  "«": "»",
  "»": "«",
  "「": "」",
  "『": "』",
  // Its partner has been made a plain apostrophe before.
  "‘": "'",
  "‹": "›",
}

/** A header of a mail, at the beginning of a line. */
const header =
  /^[ \t*]*(from|to|cc|bcc|sent|date|subject|reply-to|von|an|gesendet|datum|betreff|de|para|a|enviado|fecha|asunto|envoyé|objet|à|da|oggetto|assunto|data|发件人|收件人|主题|日期|时间|寄件者)[*]*\s*[:：]\s?\S/i
const forwarded =
  /^[ \t]*(-{2,}|_{8,}|={3,}).{0,60}(message|nachricht|mensaje|messaggio|mensagem|转发|邮件|weiterge|forward)/i
/** "On Monday Bob wrote:" and what else says that the rest is somebody's. */
const wrote =
  /(wrote|writes|said|says|schrieb|schreibt|sagt|sagte|meint|escribió|escribe|dijo|dice|a écrit|écrit|dit|ha scritto|scrive|escreveu|disse|写道|写到|说|回复)\s*[:：]/i
/** A time in front of a line, a prompt, markup, a table, a diff. */
const machine =
  /^[ \t]*(\[\d{1,2}:\d\d|\[?\d{1,4}[-/.:]\d{1,2}[-/.:T]\d{1,4}|[<{}|#]|[[({]["{[]|\$ |(INFO|WARN|ERROR|DEBUG|TRACE|FATAL)\b|at \S+ ?\(|"[\w-]+":|[+-]{3} |@@ )/
/** "Bob: …", in a chat that was pasted. */
const turn = /^[ \t]*[\p{Lu}@][\p{L}\p{N}_. @-]{0,24}[:：][ \t]\S/u

/**
 * The text with everything silenced that is quoted, code, markup, a log, or a pasted mail or chat, and typographic
 * apostrophes made plain; of the same length. Where it is not clear whether something is a quotation, it is one. Linear.
 */
export function toSpoken(text: string, about_me: RegExp): string {
  const chars = text.replaceAll("’", "'").replaceAll("\u00a0", " ").replaceAll("\r", " ")
  return silenceQuotes(silenceLines(silenceFences(chars), about_me), text)
}

function silenceFences(text: string): string {
  if (!text.includes("```") && !text.includes("~~~")) return text
  return text.replace(/(```|~~~)[\s\S]*?(?:\1|$)/g, (all) => all.replace(/[^\n]/g, silence))
}

function silenceLines(text: string, about_me: RegExp): string {
  if (!/[\n:：]|^[\s>|<{[$#+@-]/.test(text)) return text
  const lines = text.split("\n")
  const headers = lines.filter((line) => header.test(line)).length
  const turns = lines.filter((line) => turn.test(line)).length
  let is_foreign = false
  let is_after_blank = true
  const out = lines.map((line, i) => {
    if (line === "") {
      is_after_blank = true
      return line
    }
    const is_indented = /^( {4}|\t)/.test(line) && (is_after_blank || i === 0)
    if (headers >= 2 && header.test(line)) is_foreign = true
    if (forwarded.test(line)) is_foreign = true
    const is_silent =
      is_foreign ||
      is_indented ||
      /^\s{0,3}>/.test(line) ||
      machine.test(line) ||
      (turns >= 2 && turn.test(line))
    // A block of code goes on until a line that is not indented.
    is_after_blank = line.trim() === "" || is_indented
    if (is_silent) return silence.repeat(line.length)
    const cut = foreignFrom(line, i + 1 < lines.length, about_me)
    if (cut === undefined) return line
    if (cut.is_all) is_foreign = true
    return line.slice(0, cut.at) + silence.repeat(line.length - cut.at)
  })
  return out.join("\n")
}

/** From where on a line is not the user's, and whether what follows the line is not either. */
function foreignFrom(line: string, has_more: boolean, about_me: RegExp) {
  const speech = wrote.exec(line)
  if (speech) return { at: speech.index + speech[0].length, is_all: /[:：]\s*$/.test(line) }
  // "Translate this:" with a text below. "About me:" announces the user's own.
  if (has_more && /[:：]\s*$/.test(line) && !about_me.test(line)) return { at: line.length, is_all: true }
  const request = requested.exec(line)
  if (request && !about_me.test(request[0])) return { at: request.index + request[0].length, is_all: true }
  return undefined
}

/** Work on a text that follows in the same line. */
const requested =
  /(translate|proofread|summari[sz]e|shorten|shorter|rewrite|rephrase|paraphrase|correct|grammar|spelling|polish|edit|improve|reply|answer|respond|übersetz\w*|korrigier\w*|kürz\w*|umformulier\w*|zusammenfass\w*|fass|antwort\w*|traduc\w*|tradú\w*|corrig\w*|corrí\w*|resum\w*|resúm\w*|acort\w*|acórt\w*|reescrib\w*|respond\w*|tradui\w*|résum\w*|raccourci\w*|reformul\w*|répon\w*|翻译|润色|改写|总结|概括|缩短|修改|校对|回复)[^.!?。\n]{0,80}?[:：]/i

/**
 * Silences what stands between quotation marks. One that is never closed reaches to the end of its paragraph; one after a
 * digit is an inch.
 */
function silenceQuotes(spoken: string, text: string): string {
  if (!/["“”„«»「『‘‹`]|(?<![\p{L}\p{N}])'/u.test(spoken)) return spoken
  let out = ""
  let from = 0
  const unclosed = new Set<string>()
  for (let i = 0; i < spoken.length; i++) {
    const close = closingOf(spoken, i)
    if (!close) continue
    const end = unclosed.has(close) ? -1 : findClosing(spoken, i, close)
    if (end === -1) unclosed.add(close)
    if (end === -1 && close === "'") continue
    const to = end === -1 ? paragraphEnd(text, i) : end + 1
    out += spoken.slice(from, i) + silence.repeat(to - i)
    from = to
    i = to - 1
  }
  return out + spoken.slice(from)
}

function closingOf(text: string, i: number): string | undefined {
  const char = text[i]!
  if (char === "`") return "`"
  if (char === "'") return /[\p{L}\p{N}]/u.test(text[i - 1] ?? " ") || text[i + 1] === " " ? undefined : "'"
  const close = quotes[char]
  if (close && char === '"' && /\d/.test(text[i - 1] ?? "")) return undefined
  return close
}

function findClosing(text: string, from: number, close: string): number {
  if (close === "'") {
    const end = /'(?![\p{L}\p{N}])/u.exec(text.slice(from + 1, from + 400))
    return end ? from + 1 + end.index : -1
  }
  const ends = [...close].map((char) => text.indexOf(char, from + 1)).filter((at) => at !== -1)
  return ends.length > 0 ? Math.min(...ends) : -1
}

function paragraphEnd(text: string, from: number): number {
  const end = text.indexOf("\n\n", from)
  return end === -1 ? text.length : end
}
