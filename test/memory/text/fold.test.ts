import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import fc from "fast-check"
import { fold, toMatch, toVectorWords, toWords } from "../../../src/memory/text/fold.ts"

/** Any code units at all, lone surrogates among them, and plain words between them. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
      fc.constantFrom("get", "UserName", "_", ".", "'s", "n't", "İ", "K", "ﬁ", "猫", "ß", "\u0301", "ς"),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""))

test.each([
  ["Straße", "strasse"],
  ["ÉCOLE naïve Ærø Łódź Þór", "ecole naive aero lodz thor"],
  ["Ｆｕｌｌ ｗｉｄｔｈ ﬁt ①", "full width fit 1"],
  ["e\u0301 u\u0308", "e u"],
  ["ΟΔΌΣ ὁδός", "οδοσ οδοσ"],
  ["Ещё йод", "еще йод"],
  ["हिन्दी", "हिन्दी"],
  ["ガ か\u3099", "ガ が"],
  ["مُحَمَّد", "محمد"],
  ["İstanbul", "istanbul"],
  ["\ud83d x", "\ufffd x"],
])("%p is folded to %p", (text, folded) => {
  expect(fold(text)).toBe(folded)
})

test("folding any text never fails, and a second time changes nothing", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const once = fold(text)
      expect(fold(once)).toBe(once)
      expect(once.isWellFormed()).toBe(true)
      expect(once).not.toMatch(/[A-Z]/)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ["getUserName", ["getusername", "get", "user", "name"]],
  ["fold_text.ts", ["fold", "text", "ts", "foldtextts"]],
  ["HTTPServer2", ["httpserver2", "http", "server"]],
  ["v1.4.5", ["v1", "4", "5", "v145"]],
  ["PH-88213", ["ph", "88213", "ph88213"]],
  ["1,250", ["1", "250", "1250"]],
  ["Ann's don't", ["ann", "dont"]],
  ["l’été", ["l", "ete"]],
  ["我的猫", ["我的", "的猫", "我", "的", "猫"]],
  ["猫", ["猫"]],
  ["カタカナ語", ["カタ", "タカ", "カナ", "ナ語", "語"]],
  ["ภาษา", ["ภา", "าษ", "ษา"]],
])("the words of %p are %p", (text, words) => {
  expect(wordsOf(text)).toEqual(words)
})

test("folding twice changes nothing where marks make a letter only when they are put together", () => {
  for (const text of ["Ё\u0344", "A\u064b\u0300", "\u1e9e\u0307", "K\u212a"])
    expect(fold(fold(text))).toBe(fold(text))
})

test("a key or a list without spaces is not taken apart", () => {
  expect(wordsOf("a1b2c3d4e5f6a7b8")).toEqual(["a1b2c3d4e5f6a7b8"])
  expect(wordsOf("ab12cd34ef56gh78ij90")).toEqual(["ab12cd34ef56gh78ij90"])
  expect(wordsOf("one,two")).toEqual(["one", "two"])
  expect(wordsOf("x".repeat(200).concat("1y2"))).toHaveLength(1)
})

test("words have their beginnings beside them, so that another form of them is found", () => {
  expect(toWords("Kitchens with the oak").match(/\b0\w+/g)).toEqual(["0kitc"])
  expect(toMatch("the kitchen")).toEqual(["kitchen", "0kitc"])
  expect(toVectorWords("kitchens")).toBe("kitchens")
})

test("a question's stop words are left out, unless nothing else is left", () => {
  expect(toMatch("Where does my sister live?")).toEqual(["sister", "live", "0sist", "0live"])
  expect(toMatch("Wo wohnt meine Schwester?")).toEqual(["wohnt", "schwester", "0wohn", "0schw"])
  expect(toMatch("what is this")).toEqual(["what", "is", "this"])
  expect(toMatch("?!")).toEqual([])
})

test("a long question is asked by its first words", () => {
  const many = Array.from({ length: 500 }, (_, i) => `${i}x`).join(" ")
  expect(toMatch(many)).toHaveLength(64)
})

/** The index as the migration makes it. */
function openIndex(texts: readonly string[]): Database {
  const db = new Database(":memory:")
  db.run(
    "CREATE VIRTUAL TABLE f USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0')",
  )
  for (const [i, text] of texts.entries())
    db.query("INSERT INTO f (rowid, body) VALUES (?, ?)").run(i, toWords(text))
  return db
}

const search = (db: Database, words: string[]): number[] =>
  db
    .query("SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f)")
    .values(words.map((word) => `"${word}"`).join(" OR "))
    .map(([id]) => Number(id))

test("SQLite's tokeniser agrees: every word to look for is one of its words, and any text finds itself", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      using db = openIndex([text])
      db.run("CREATE VIRTUAL TABLE v USING fts5vocab (f, row)")
      const known = new Set(db.query("SELECT term FROM v").values().flat())
      const words = toMatch(text)
      for (const word of words)
        if (!known.has(word)) throw new Error(`not indexed: ${JSON.stringify([text, word])}`)
      if (words.length > 0) expect(search(db, words)).toEqual([0])
    }),
    { numRuns: 500 },
  )
})

const texts = [
  "My sister Clara lives in Leith.",
  "Meine Tante wohnt in Köln, Straße der Einheit 4.",
  "The failure is in src/memory/foldText.ts: ERR_MODULE_NOT_FOUND",
  "我的妹妹住在里昂，她有一只猫。",
  "東京タワーに行きました",
  "मेरी बहन दिल्ली में रहती है",
  "แมวของฉันชื่อส้ม",
  "내 고양이 이름은 나비예요",
]

test.each([
  ["clara's living", 0],
  ["KOELN köln", 1],
  ["strasse", 1],
  ["foldtext", 2],
  ["fold_text.ts", 2],
  ["module not found", 2],
  ["妹妹住哪里", 3],
  ["猫", 3],
  ["東京", 4],
  ["दिल्ली", 5],
  ["ส้ม", 6],
  ["고양이는", 7],
])("%p finds its text", (query, expected) => {
  using db = openIndex(texts)
  expect(search(db, toMatch(query))[0]).toBe(expected)
})

const wordsOf = (text: string): string[] =>
  toWords(text)
    .split(/[^\p{L}\p{N}\p{Co}]+/u)
    .filter((word) => word !== "" && !/^0\p{L}/u.test(word))
