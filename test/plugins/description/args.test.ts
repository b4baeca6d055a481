import { expect, test } from "bun:test"
import fc from "fast-check"
import { fillArgs } from "../../../src/plugins/description/args.ts"

test.each([
  [[], {}, []],
  [["-n", "{count}"], { count: 3 }, ["-n", "3"]],
  [["{text}"], { text: "a b; rm -rf / 'c' \"d\" $(e)\n{text}" }, ["a b; rm -rf / 'c' \"d\" $(e)\n{text}"]],
  [["{text}"], { text: "" }, [""]],
  [["--a={a}", "{b}"], { b: "x" }, ["x"]],
  [["--a={a}", "{b}"], { a: null, b: "x" }, ["x"]],
  [["{a}-{b}"], { a: 1 }, []],
  [["{a}{b}"], { a: true, b: false }, ["truefalse"]],
  [["{a}"], { a: { b: [1, "c"] } }, ['{"b":[1,"c"]}']],
  [["{{a}}", "{{{a}}}"], { a: "x" }, ["{a}", "{{a}}"]],
  [["{print $1}", '{"k": 1}', "{}"], {}, ["{print $1}", '{"k": 1}', "{}"]],
  [["-e{a}", "--x={a}"], { a: "-v" }, ["-e-v", "--x=-v"]],
  [["-f", "--", "{a}"], { a: "-v" }, ["-f", "--", "-v"]],
  [["{toString}"], {}, []],
] as const)("%j with %j is %j", (args, input, words) => {
  expect(fillArgs(args, input)).toEqual([...words])
})

test.each([
  [["{a}"], { a: "-v" }, "/a"],
  [["{a}"], { a: -5 }, "/a"],
  [["{a}{b}"], { a: "", b: "--exec=x" }, "/a"],
  [["{a}", "--"], { a: "-v" }, "/a"],
  [["x{a}"], { a: "b\0c" }, "/a"],
  [["x{a}"], { a: ["\0"].join() }, "/a"],
] as const)("%j with %j is refused", (args, input, path) => {
  expect(() => fillArgs(args, input)).toThrow(
    expect.objectContaining({ code: "invalid_params", data: { path, expected: expect.any(String) } }),
  )
})

test("a value is never split, never opens an option, and changes no other word", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      fc.pre(!value.includes("\0") && !value.startsWith("-"))
      expect(fillArgs(["grep", "{a}", "-c"], { a: value })).toEqual(["grep", value, "-c"])
    }),
  )
})
