/** What plants nothing: words of others, and words that claim nothing. */
import { expect, test } from "bun:test"
import fc from "fast-check"
import { extractFacts } from "../../../src/memory/facts/extract.ts"
import { silence, toSpoken } from "../../../src/memory/facts/spoken.ts"

const factsIn = (text: string) =>
  extractFacts(text, { said_ms: 0 }).map(
    ({ subject, predicate, object }) => `${subject}'s ${predicate}: ${object}`,
  )

test.each([
  // Quoted.
  'The label says "my name is Ana".',
  "He signed “I live in Paris” on it.",
  "Auf dem Zettel steht „Ich wohne in Bonn“, komisch.",
  "Dans le film, « je m'appelle Zoé » revient souvent.",
  "她的原话是“我住在成都”。",
  "他贴了「我叫王芳」在门上。",
  'An open quote: "my name is Ana, and I live in Bonn',
  "> my name is Ana\n> I live in Bonn",
  // Code and what machines write.
  "```\nmy name is Ana\n```",
  "```\nmy name is Ana",
  "~~~text\nI live in Bonn\n~~~",
  "Run `my name is Ana` please",
  "What is this:\n\n    my name is Ana\n    I live in Bonn",
  "2026-01-01 10:00:01 INFO my name is Ana",
  "[12:01] my name is Ana",
  "<p>my name is Ana</p>",
  '{"text": "my name is Ana"}',
  "| name | my name is Ana |",
  // Mails, chats, texts to work on.
  "From: Ana <a@example.com>\nSubject: hello\n\nMy name is Ana and I live in Bonn.",
  "Von: Ana\nBetreff: Hallo\n\nIch heiße Ana und wohne in Bonn.",
  "发件人: 王芳\n主题: 你好\n\n我叫王芳，我住在成都。",
  "Look:\n---------- Forwarded message ----------\nMy name is Ana",
  "On Monday Bob wrote:\nMy name is Bob. I live in Bonn.",
  "He wrote: my name is Bob",
  "Anna: my name is Anna\nBob: I live in Bonn",
  "Please translate this:\n\nMy name is Ana. I live in Bonn.",
  "Translate into French: my name is Ana",
  "Übersetze bitte: Ich heiße Ana und wohne in Bonn",
  "Traduce esto: me llamo Ana y vivo en Gijón",
  "翻译一下：我叫王芳，我住在成都",
  "Here is the mail:\n\nI work at Acme and my name is Bob.",
  // Asked, supposed, denied.
  "Do I live in Paris?",
  "Is my name Ana?",
  "What if my name is Ana?",
  "Do you know that my sister lives in Porto?",
  "If I live in Paris, I pay more.",
  "Suppose I work at Acme.",
  "Imagine my name is Ana.",
  "I don't live in Paris.",
  "My name is not Ana.",
  "It's not true that I live in Paris.",
  "Wenn ich in Bonn wohne, zahle ich mehr.",
  "Stell dir vor, ich wohne in Bonn.",
  "Ich wohne nicht in Bonn.",
  "Wohne ich in Bonn?",
  "Si vivo en Gijón, pago más.",
  "No vivo en Gijón.",
  "¿Vivo en Gijón?",
  "Je n'habite pas à Lyon.",
  "如果我住在成都，会怎么样",
  "我不住在成都",
  "我住在哪里？",
  // Made up.
  "Write a story where my name is Ana and I live in Bonn.",
  "Write me a poem. I live in Bonn, a dog by my side.",
  "Schreib mir eine Geschichte, in der ich in Bonn wohne. Ich heiße Ana.",
  "Escríbeme un cuento: me llamo Ana.",
  "Écris-moi une histoire. Je m'appelle Zoé.",
  "写一个故事，我叫王芳，我住在成都",
  "Pretend you are a cat. My name is Tom.",
  "In my novel I work at Acme.",
  // Others.
  "She said I live in a bubble.",
  "The sister of my boss lives in Bergen.",
  "My boss's sister lives in Bergen.",
  "La hermana de mi jefe vive en Ushuaia.",
  "Die Frau meines Chefs wohnt in Graz.",
  "La sœur de mon chef habite à Brest.",
  "我老板的妹妹住在柏林",
  "Bob lives in Bonn and works at Acme.",
  // Empty talk.
  "Call me later.",
  "I'm on holiday.",
  "I work at home.",
  "I live in the moment.",
  "I start at 9.",
  "My laptop is at 5%.",
  "The score is at 3.",
  "It's now at 50%.",
  "I love it, thanks!",
  "Ruf mich morgen an.",
  "Dime cuándo.",
  "Appelle-moi demain.",
  "My question is how to do that.",
  "My code is not working.",
  "My head is spinning.",
  "My point is that it takes too long.",
  "I'm not sure.",
  "I'm in a hurry.",
  "I am fine, thanks.",
  "Ich bin müde.",
  "Estoy cansada.",
  "我很累",
  "",
  " \n\t ",
])("%p plants nothing about the user", (text) => {
  expect(factsIn(text).filter((fact) => fact.startsWith("user's"))).toEqual([])
})

test.each([
  "The sister of my boss lives in Bergen.",
  "My boss's sister lives in Bergen.",
  "La hermana de mi jefe vive en Ushuaia.",
  "La sœur de mon chef habite à Brest.",
  "我老板的妹妹住在柏林",
])("%p is about somebody who is not the user's, and not about whom he knows him by", (text) => {
  expect(factsIn(text)).toEqual([])
})

test.each([
  ['I live in Bonn. He said "I live in Kiel".', ["user's location: Bonn"]],
  ["I live in Bonn.\n\n> I live in Kiel", ["user's location: Bonn"]],
  [
    "I live in Bonn.\n```\nI live in Kiel\n```\nMy name is Ana.",
    ["user's location: Bonn", "user's name: Ana"],
  ],
  ["About me:\nMy name is Ana.\nI live in Bonn.", ["user's name: Ana", "user's location: Bonn"]],
  ["My colleague lives in Kiel.", ["colleague's location: Kiel"]],
  ["I don't know, but I live in Bonn.", ["user's location: Bonn"]],
  ["It's 5'10\" tall. I live in Bonn.", ["user's location: Bonn"]],
])("%p: only the user's own words count", (text, facts) => {
  expect(factsIn(text)).toEqual(facts)
})

test("what others wrote is silenced, and everything else stays in its place", () => {
  const spoken = toSpoken('I say "no" and\n> quoted\nlast', /about me/)
  expect(spoken).toBe(`I say ${silence.repeat(4)} and\n${silence.repeat(8)}\nlast`)
})

const pieces = fc.constantFrom(
  ..."my name is |I live in |Ana|Paris|\n|\n\n|> |```|\"|'|“|”|„|`|: |?|. |, |if |ich heiße |ich wohne in |me llamo |vivo en |我|叫|住在|成都|。|my sister |lives in |moved from |to |    |From: x|wrote:|İ|ẞ|𝒜|e\u0301|\ud800|\ue000|14 March|is due on |the |because | ".split(
    "|",
  ),
)
const text = fc.oneof(
  fc.array(pieces, { maxLength: 40 }).map((all) => all.join("")),
  fc.string({ unit: "binary", maxLength: 200 }),
)

test("it never throws, and every object is a piece of the text", () => {
  fc.assert(
    fc.property(text, (said) => {
      for (const { start, end, object, confidence } of extractFacts(said, { said_ms: 0 })) {
        expect(said.slice(start, end)).toBe(object)
        expect(object.trim()).toBe(object)
        expect(object).not.toBe("")
        expect(confidence).toBeGreaterThan(0)
        expect(confidence).toBeLessThanOrEqual(1)
      }
    }),
    { numRuns: 600 },
  )
})

test("what is silenced is as long as before", () => {
  fc.assert(
    fc.property(text, (said) => {
      expect(toSpoken(said, /about me/)).toHaveLength(said.length)
    }),
    { numRuns: 600 },
  )
})

test("whatever is quoted plants nothing", () => {
  const quotes = fc.constantFrom('""', "“”", "„“", "«»", "「」", "『』")
  const inside = text.filter((said) => !/["“”„«»「」『』\n]/.test(said))
  fc.assert(
    fc.property(quotes, inside, (marks, said) => {
      const quoted = `${marks[0]}my name is Ana, ${said}${marks[1]}`
      expect(factsIn(`Look: ${quoted}`).filter((fact) => !fact.includes("_"))).toEqual([])
    }),
    { numRuns: 500 },
  )
})

// 100,000 units each of what is meant to take long. The limit is generous: CPU time is shared; what is quadratic takes seconds.
test.each(
  [
    ..."my |ich habe |mi hermana |my sister Anna |i live in a, |it's called |heißt |\n|\"|“|'a |`| |translate |fix: |i live in |my noun of thing the a |he a said |1.|a".split(
      "|",
    ),
    ...["我", "我在", "我们的", "我住在", "，我叫"],
    "my sister name is called lives in works for my noun is due on at ",
  ].map((unit) => [unit]),
)("a hundred thousand units of %p are read in time", (unit) => {
  const long = unit.repeat(Math.ceil(100_000 / unit.length))
  extractFacts(long, { said_ms: 0 })
  const times = [1, 2].map(() => {
    const before = process.cpuUsage()
    extractFacts(long, { said_ms: 0 })
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  expect(Math.min(...times)).toBeLessThan(300)
})
