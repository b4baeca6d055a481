import { afterAll, expect } from "bun:test"
import fc from "fast-check"
import { needs } from "../../needs.ts"
import { type Guest, openGuest } from "./guest.ts"

const test = needs({ wasi: "rust" })
let opened: Promise<Guest> | undefined
/** Not before a test needs it: without the compiler there is none. */
const open = () => (opened ??= openGuest("csv"))
afterAll(async () => await (await opened)?.[Symbol.asyncDispose]())

const ask = async (tool: string, input: Record<string, unknown>) => await (await open()).call(tool, input)
const query = async (input: Record<string, unknown>) => (await ask("query", input)).content
const summarize = async (input: Record<string, unknown>) => (await ask("summarize", input)).content

const csv = `name,team,hours
Ann,red,7.5
Bo,blue,10
"Cy, Jr.",red,2
Di,blue,n/a
`

test("it describes two tools", async () => {
  expect(await (await open()).describe()).toMatchObject([{ name: "query" }, { name: "summarize" }])
})

test("all of a table is all of it", async () => {
  expect(await query({ csv })).toBe(csv)
})

test("columns and rows are picked, sorted and limited; numbers come as numbers, before text", async () => {
  expect(await query({ csv, columns: ["name"], sort: "hours" })).toBe('name\n"Cy, Jr."\nAnn\nBo\nDi\n')
  expect(await query({ csv, columns: ["name"], sort: "hours", descending: true, limit: 2 })).toBe(
    "name\nDi\nBo\n",
  )
})

for (const [is, value, names] of [
  ["=", "10.0", "Bo"],
  ["!=", 10, "Ann,Cy,Di"],
  ["<", 7.5, "Cy"],
  ["<=", 7.5, "Ann,Cy"],
  [">", 7.5, "Bo,Di"],
  [">=", "7.5", "Ann,Bo,Di"],
  ["<", "n/a", "Ann,Bo,Cy"],
  ["contains", "N/A", "Di"],
] as const) {
  test(`hours ${is} ${value} are those of ${names}`, async () => {
    const found = await query({ csv, columns: ["name"], where: [{ column: "hours", is, value }] })
    expect(found.replaceAll('"Cy, Jr."', "Cy").trim().split("\n").slice(1).join()).toBe(names)
  })
}

test("a column is summed up, for each value of another", async () => {
  expect(await summarize({ csv })).toBe("count\n4\n")
  expect(await summarize({ csv, of: "hours" })).toBe("count,numbers,sum,mean,min,max\n4,3,19.5,6.5,2,10\n")
  expect(await summarize({ csv, of: "hours", by: "team" })).toBe(
    "team,count,numbers,sum,mean,min,max\nblue,2,1,10,10,10,10\nred,2,2,9.5,4.75,2,7.5\n",
  )
})

test("sums lose nothing on the way", async () => {
  const table = `n\n${"0.1\n".repeat(10)}`
  expect(await summarize({ csv: table, of: "n" })).toContain("10,10,1,0.1,0.1,0.1")
})

test("what is missing is said, with what there is", async () => {
  expect(await ask("query", { csv, columns: ["age"] })).toEqual({
    content: 'There is no column "age"; the columns are name, team, hours.',
    is_error: true,
  })
  expect((await ask("query", { csv: "" })).content).toContain("empty")
  expect((await ask("query", { csv: 'a\n"b' })).content).toContain("not closed")
})

const cell = fc.array(fc.constantFrom("a", "ä", '"', ",", ";", "\n", "\r\n", " ", "1"), { maxLength: 5 })
const row = fc.array(
  cell.map((parts) => parts.join("")),
  { minLength: 2, maxLength: 2 },
)

test("whatever stands in the cells, in quotation marks, comes back", async () => {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (rows) => {
      const given = [["x", "y"], ...rows].map((row) => row.map(quote).join(",")).join("\n")
      const once = await query({ csv: given })
      expect(once.replaceAll(/"((?:[^"]|"")*)"/g, "#").split("\n").length).toBe(rows.length + 2)
      // As it writes tables, so it reads them; with another separator, too.
      expect(await query({ csv: once })).toBe(once)
      expect(await query({ csv: given, separator: "," })).toBe(once)
    }),
  )
})
