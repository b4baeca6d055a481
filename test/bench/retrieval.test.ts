import { expect, test } from "bun:test"
import { fillerMessages } from "../../bench/data/retrieval/filler.ts"
import { loadNeedles, loadRetrieval } from "../../bench/data/retrieval/retrieval.ts"

const { messages, questions } = loadRetrieval()
const needles = loadNeedles()
const filler = messages.filter(({ id }) => id.startsWith("f"))

const share = <T>(list: T[], test: (item: T) => boolean) => list.filter(test).length / list.length

test("there are five thousand messages, every needle is among them, and there are questions enough", () => {
  expect(messages.length).toBe(5000)
  expect(filler.length + needles.length).toBe(5000)
  expect(messages.filter(({ id }) => id.startsWith("n")).length).toBe(needles.length)
  expect(needles.length).toBeGreaterThanOrEqual(340)
  expect(questions.length).toBeGreaterThanOrEqual(320)
})

test("no id and no text is there twice", () => {
  for (const list of [messages, questions]) {
    expect(new Set(list.map(({ id }) => id)).size).toBe(list.length)
    expect(new Set(list.map(({ text }) => text)).size).toBe(list.length)
  }
})

test("every question names one to three needles in its own language, each once", () => {
  const byId = new Map(needles.map((needle) => [needle.id, needle]))
  for (const { lang, relevant } of questions) {
    expect(relevant.map((id) => byId.get(id)?.lang)).toEqual(relevant.map(() => lang))
    expect(relevant.length).toBeWithin(1, 4)
    expect(new Set(relevant).size).toBe(relevant.length)
  }
})

test("every needle is asked for", () => {
  const asked = new Set(questions.flatMap(({ relevant }) => relevant))
  expect(needles.filter(({ id }) => !asked.has(id))).toEqual([])
})

test.each([
  ["words", 0.3],
  ["paraphrase", 0.3],
  ["inflected", 0.15],
  ["typo", 0.08],
  ["code", 0.1],
  ["vague", 0.07],
])("questions of the kind %s have about their share", (name, wanted) => {
  expect(Math.abs(share(questions, ({ kind }) => kind === name) - wanted)).toBeLessThan(0.05)
})

test.each([
  ["en", 0.6],
  ["de", 0.15],
  ["es", 0.15],
  ["zh", 0.1],
])("messages in %s have about their share, needles and filler alike", (name, wanted) => {
  expect(Math.abs(share(needles, ({ lang }) => lang === name) - wanted)).toBeLessThan(0.03)
  expect(Math.abs(share(filler, ({ lang }) => lang === name) - wanted)).toBeLessThan(0.03)
})

test("messages are of sixty sessions, by the user or the assistant, one after the other", () => {
  expect(new Set(messages.map(({ session }) => session)).size).toBe(60)
  expect([...new Set(messages.map(({ role }) => role))].sort()).toEqual(["assistant", "user"])
  const times = messages.map(({ created_ms }) => created_ms)
  expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true)
})

test("needles are spread over the whole of it, and those of a session keep their order", () => {
  for (let from = 0; from < messages.length; from += 500) {
    const part = messages.slice(from, from + 500)
    expect(part.filter(({ id }) => id.startsWith("n")).length).toBeWithin(15, 60)
  }
  const found = messages.filter(({ id }) => id.startsWith("n"))
  for (const session of new Set(needles.map((needle) => needle.session))) {
    const inOrder = (list: typeof needles) =>
      list.filter((one) => one.session === session).map(({ id }) => id)
    expect(inOrder(found)).toEqual(inOrder(needles))
  }
})

test("what is generated is the same twice, and a shorter run is the beginning of a longer one", () => {
  expect(loadRetrieval()).toEqual({ messages, questions })
  expect([...fillerMessages(100)]).toEqual([...fillerMessages(300)].slice(0, 100))
})

test("no filler holds a needle's text, an identifier that is asked for, or an empty slot", () => {
  const texts = filler.map(({ text }) => text)
  const codes = questions.filter(({ kind }) => kind === "code").map(({ text }) => text)
  for (const text of [...needles.map((needle) => needle.text), ...codes, "{"]) {
    expect(texts.filter((one) => one.includes(text))).toEqual([])
  }
})
