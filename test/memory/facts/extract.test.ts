import { expect, test } from "bun:test"
import { extractFacts } from "../../../src/memory/facts/extract.ts"

// A Wednesday.
const said_ms = new Date(2026, 10, 18, 12).getTime()

const factsIn = (text: string) =>
  extractFacts(text, { said_ms }).map(
    ({ subject, predicate, object }) => `${subject}'s ${predicate}: ${object}`,
  )

test.each([
  ["my name is Ana", [["name", "Ana", 0.9]]],
  ["I live in Paris", [["location", "Paris", 0.85]]],
  ["I'm from Ohio", [["from", "Ohio", 0.85]]],
  ["I am from Ohio", [["from", "Ohio", 0.85]]],
  [
    "I moved from Bonn to Kiel",
    [
      ["location", "Kiel", 0.8],
      ["previous_location", "Bonn", 0.8],
    ],
  ],
  ["I moved to Kiel", [["location", "Kiel", 0.8]]],
  ["I work at Acme Tooling", [["employer", "Acme Tooling", 0.85]]],
  ["I work for Acme", [["employer", "Acme", 0.85]]],
  ["my favourite tool is a hammer", [["favourite_tool", "a hammer", 0.75]]],
  ["My locker code is 317", [["locker_code", "317", 0.75]]],
] as const)("exoclaw's pattern in %p", (text, expected) => {
  const found = extractFacts(text, { said_ms }).map(({ predicate, object, confidence }) => [
    predicate,
    object,
    confidence,
  ])
  expect(found as unknown).toEqual(expected)
})

const said: Record<string, [text: string, facts: string[]][]> = {
  en: [
    ["Please call me Mags.", ["user's nickname: Mags"]],
    ["My sister Ines lives in Coimbra, she teaches.", ["sister's location: Coimbra", "sister's name: Ines"]],
    ["We have a dog called Biscuit.", ["dog's name: Biscuit"]],
    ["My wife's birthday is on 9 October.", ["wife's birthday: 9 October"]],
    ["I'm allergic to peanuts and latex", ["user's allergy: peanuts"]],
    ["Sorry, but shellfish puts me in hospital.", ["user's allergy: shellfish"]],
    ["I'm vegetarian, so no ham.", ["user's diet: vegetarian"]],
    ["I can't stand open-plan offices.", ["user's dislikes: open-plan offices"]],
    ["I'm an undertaker.", ["user's job: undertaker"]],
    ["I'm 34 years old", ["user's age: 34 years old"]],
    ["The deadline for the grant is 14 March.", ["grant's deadline: 14 March"]],
    [
      "The grant application is due on 14 February, no extensions.",
      ["grant application's deadline: 14 February"],
    ],
    ["My flight is on 11 June at 06:25.", ["user's flight: 11 June at 06:25"]],
    ["The repo is called tidewatch.", ["repository's name: tidewatch"]],
    ["The repo is called `tidewatch`.", ["repository's name: tidewatch"]],
    ["We use PostgreSQL for the bookings.", ["user's uses: PostgreSQL for the bookings"]],
    ["The budget is 21,500 euros.", ["user's budget: 21,500 euros"]],
    ["From now on, answer in French.", ["user's instruction: answer in French"]],
    ["Remember that the key is under the blue pot", ["user's note: the key is under the blue pot"]],
    ["Hi! I'm Marta, and I need help.", ["user's name: Marta"]],
    ["Hello there, I am Ann Lee.", ["user's name: Ann Lee"]],
    ["I'm German.", []],
    ["Hi, I'm wondering.", []],
    ["Hi, I'm Tom from Leeds.", ["user's name: Tom"]],
    ["We've just moved into a flat in Ghent.", ["user's location: Ghent"]],
    ["My brother just got a job at Siemens.", ["brother's employer: Siemens"]],
    ["I've got a dentist appointment on 3 May at 3pm.", ["user's dentist_appointment: 3 May at 3pm"]],
    ["We decided to go with Svelte.", ["user's decision: Svelte"]],
    ["My locker is 317. Note that for later.", ["user's locker: 317", "user's note: My locker is 317"]],
    ["They've moved it to 3 March.", ["user's deadline: 3 March"]],
    ["You can skip the pleasantries.", ["user's does_not_want: pleasantries"]],
    ["The exam is on 21 June.", ["user's exam: 21 June"]],
    ["If I'm honest, I can't stand opera.", ["user's dislikes: opera"]],
    ["I no longer work at Acme Tooling.", ["user's employer: Acme Tooling"]],
    ["I live in Leith, what should I wear today?", ["user's location: Leith"]],
    ["I’m from St. Gallen.", ["user's from: St. Gallen"]],
  ],
  de: [
    ["Ich heiße Henrike, aber nenn mich Henni.", ["user's name: Henrike", "user's nickname: Henni"]],
    ["Hallo! Ich bin Anna.", ["user's name: Anna"]],
    ["Ich wohne seit drei Jahren in Wuppertal.", ["user's location: Wuppertal"]],
    ["Wir sind letzte Woche nach Flensburg gezogen.", []],
    ["Wir sind jetzt nach Flensburg gezogen.", ["user's location: Flensburg"]],
    ["Meine Schwester lebt in Porto.", ["sister's location: Porto"]],
    ["Ich arbeite bei Avacon.", ["user's employer: Avacon"]],
    ["Ich bin Lehrerin.", ["user's job: Lehrerin"]],
    ["Mein Hund heißt Knut.", ["dog's name: Knut"]],
    ["Ich bin allergisch gegen Haselnüsse.", ["user's allergy: Haselnüsse"]],
    ["Die Masterarbeit muss bis zum 28. Februar fertig sein.", ["masterarbeit's deadline: 28. Februar"]],
    ["Mein Geburtstag ist am 3. Mai.", ["user's birthday: 3. Mai"]],
    ["Ich esse vegan.", ["user's diet: vegan"]],
    ["Unser Budget beträgt 18.500 Euro.", ["user's budget: 18.500 Euro"]],
    [
      "Merk dir bitte, dass der Schlüssel unter dem Topf liegt.",
      ["user's note: der Schlüssel unter dem Topf liegt"],
    ],
    ["Mein Kennzeichen ist TÜ-KL 508.", ["user's kennzeichen: TÜ-KL 508"]],
  ],
  es: [
    ["Me llamo Guadalupe, pero dime Lupita.", ["user's name: Guadalupe", "user's nickname: Lupita"]],
    ["Vivo en Cáceres.", ["user's location: Cáceres"]],
    ["Nos mudamos a Gijón.", ["user's location: Gijón"]],
    ["Mi hermana Candela vive en Rosario.", ["sister's location: Rosario", "sister's name: Candela"]],
    ["Trabajo en Aceros Villaverde.", ["user's employer: Aceros Villaverde"]],
    ["Soy alérgica a los frutos secos.", ["user's allergy: frutos secos"]],
    ["Mi gata se llama Croqueta.", ["cat's name: Croqueta"]],
    ["Me encantan las croquetas.", ["user's likes: las croquetas"]],
    ["Soy afinadora de pianos.", ["user's job: afinadora de pianos"]],
    ["La memoria hay que presentarla el 20 de febrero.", ["memoria's deadline: 20 de febrero"]],
    ["Mi taquilla de la piscina es la 273.", ["user's taquilla_de_la_piscina: 273"]],
    ["El presupuesto es de 13.400 euros.", ["user's budget: 13.400 euros"]],
    ["El examen es el 21 de junio.", ["user's examen: 21 de junio"]],
    ["Lo han aplazado al 5 de julio.", ["user's deadline: 5 de julio"]],
    ["Ya no trabajo en Villaverde.", ["user's employer: Villaverde"]],
  ],
  fr: [
    ["Je m'appelle Zoé et j'habite à Lyon.", ["user's name: Zoé", "user's location: Lyon"]],
    ["Bonjour, je suis Zoé.", ["user's name: Zoé"]],
    ["J'ai déménagé de Lyon à Nantes.", ["user's location: Nantes", "user's previous_location: Lyon"]],
    ["Ma sœur Inès habite à Brest.", ["sister's location: Brest", "sister's name: Inès"]],
    ["Je travaille chez Michelin.", ["user's employer: Michelin"]],
    ["Je suis allergique aux noix.", ["user's allergy: noix"]],
    ["Mon chien s'appelle Filou.", ["dog's name: Filou"]],
    ["Je suis végétarienne.", ["user's diet: végétarienne"]],
    ["Mon anniversaire est le 3 mai.", ["user's birthday: 3 mai"]],
    ["Le dossier doit être rendu avant le 14 mars.", ["dossier's deadline: 14 mars"]],
    ["J'ai 34 ans.", ["user's age: 34 ans"]],
    ["Note que la clé est sous le pot.", ["user's note: la clé est sous le pot"]],
  ],
  zh: [
    ["我叫何雨桐，大家都叫我桐桐。", ["user's name: 何雨桐", "user's nickname: 桐桐"]],
    ["你好，我是汤姆。", ["user's name: 汤姆"]],
    ["我住在成都，玉林这边。", ["user's location: 成都"]],
    ["我们上个月搬到青岛了。", ["user's location: 青岛"]],
    ["我姐姐住在里斯本。", ["older sister's location: 里斯本"]],
    ["我在蔚海科技工作。", ["user's employer: 蔚海科技"]],
    ["我对花生过敏。", ["user's allergy: 花生"]],
    ["我老婆生日是腊月初九。", ["wife's birthday: 腊月初九"]],
    ["我喜欢爬山。", ["user's likes: 爬山"]],
    ["我是护士。", ["user's job: 护士"]],
    ["预算是4288元。", ["user's budget: 4288元"]],
    ["我乳糖不耐受。", ["user's allergy: 乳糖"]],
    ["我们的服务器叫athena。", ["server's name: athena"]],
    ["我的工号是88421。", ["user's 工号: 88421"]],
    ["我今年34岁。", ["user's age: 34岁"]],
  ],
}

test.each(
  Object.entries(said).flatMap(([language, rows]) =>
    rows.map(([text, facts]) => ({ language, text, facts })),
  ),
)("$language: $text", ({ text, facts }) => {
  expect(factsIn(text)).toEqual(facts)
})

test("what is new, or no longer so, is marked", () => {
  const marks = (text: string) =>
    extractFacts(text, { said_ms }).map(({ object, is_change, is_negated }) => [
      object,
      is_change,
      is_negated,
    ])
  expect(marks("I live in Bonn.")).toEqual([["Bonn", undefined, undefined]])
  expect(marks("I live in Bonn now.")).toEqual([["Bonn", true, undefined]])
  expect(marks("I no longer live in Bonn.")).toEqual([["Bonn", true, true]])
  expect(marks("Ich wohne jetzt in Bonn.")).toEqual([["Bonn", true, undefined]])
  expect(marks("Ya no vivo en Gijón.")).toEqual([["Gijón", true, true]])
  expect(marks("我们搬到青岛了")).toEqual([["青岛", true, undefined]])
})

test("a day that is only named gets its date", () => {
  const days = (text: string) => extractFacts(text, { said_ms }).map(({ object, day }) => [object, day])
  expect(days("The report is due tomorrow.")).toEqual([["tomorrow", "2026-11-19"]])
  expect(days("The report is due on Monday at 9:30.")).toEqual([["Monday at 9:30", "2026-11-23"]])
  expect(days("The report is due on Monday 30 November.")).toEqual([["Monday 30 November", undefined]])
  expect(days("Mein Termin ist am Freitag um 8:40.")).toEqual([["Freitag um 8:40", "2026-11-20"]])
})

test("a fact has the sentence that says it, and where it stands", () => {
  const text = "Hello there. My sister lives in Porto, you know. Bye."
  const [fact] = extractFacts(text, { said_ms })
  expect(fact).toEqual({
    ...{ type: "fact", subject: "sister", predicate: "location", object: "Porto", confidence: 0.85 },
    ...{ start: 32, end: 37, said: "My sister lives in Porto, you know." },
  })
})
