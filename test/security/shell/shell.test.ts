// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are for a shell.
import { expect, test } from "bun:test"
import fc from "fast-check"
import { readCommand, toText } from "../../../src/security/shell/commands.ts"
import { readShell, type ShellReading, shell_chars_max } from "../../../src/security/shell/shell.ts"
import { cpuOf } from "../../cpu.ts"

/** The commands as one would type them, "…" for what is not known, then the files of redirections. */
async function shown(text: string): Promise<string[]> {
  const { commands, writes, reads, opaque } = await readShell(text)
  return [
    ...commands.map(({ words }) => toText(words)),
    ...writes.map((path) => `> ${path}`),
    ...reads.map((path) => `< ${path}`),
    ...(opaque === undefined ? [] : ["opaque"]),
  ]
}

test.each([
  ["git status", ["git status"]],
  ["  git\tstatus \n", ["git status"]],
  [`git commit -m 'a b' "c d"e`, ["git commit -m 'a b' 'c de'"]],
  ["echo 'it'\\''s'", ["echo 'it'\\''s'"]],
  ["a | b |& c", ["a", "b", "c"]],
  ["a && b || c; d & e\nf", ["a", "b", "c", "d", "e", "f"]],
  ["(a; { b; })", ["a", "b"]],
  ["! a", ["a"]],
  ["if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]],
  ["while a; do b; done", ["a", "b"]],
  ["until a; do b; done", ["a", "b"]],
  ["for x in a *.b $(c); do d $x; done", ["c", "d …"]],
  ["case $(a) in b) c;; *) d;; esac", ["a", "c", "d"]],
  ["a $(b $(c)) `d`", ["c", "b …", "d", "a … …"]],
  ['a "x $(b) y" "$HOME"', ["b", "a … …"]],
  ["a <(b) >(c)", ["b", "c", "a … …"]],
  ["x=$(a); y=1; b $x", ["a", "b …"]],
  ["a > x 2>> y < z &> w", ["a", "> x", "> y", "> w", "< z"]],
  ["a >/dev/null 2>&1 <&0", ["a"]],
  ["> x", ["> x"]],
  ["cat <<X > y\ntext $HOME\nX", ["cat", "> y"]],
  ["cat <<'X'\n$(a) `b`\nX\nc", ["cat", "c"]],
  ["cat <<< $(a)", ["a", "cat"]],
  ["a *.ts ~/x {b,c} [d] e?", ["a … … … … …"]],
  ["a \\; b\\ c", ["a ';' 'b c'"]],
  ["a {} ';'", ["a '{}' ';'"]],
  ["command a b", ["a b"]],
  ["exec a", ["a"]],
  ["time a", ["a"]],
  ["command -v a", []],
  ["set -euo pipefail; a", ["a"]],
  ["[ -f a ] && [[ $b == c* ]] && test -d d && e", ["e"]],
  ["LANG=C a", ["a"]],
  ["a # b; c", ["a"]],
  ["# a", []],
  ["", []],
])("reads %j", async (text, expected) => {
  expect(await shown(text)).toEqual(expected)
})

test.each([
  ["eval a", ["opaque"]],
  ["command eval a", ["opaque"]],
  [". ./a", ["opaque"]],
  ["source a; b", ["b", "opaque"]],
  ["trap a EXIT; b", ["b", "opaque"]],
  ["$a b", ["opaque"]],
  ["$(a) b", ["a", "opaque"]],
  ["a() { b; }; a", ["b", "a", "opaque"]],
  ["function a { b; }", ["b", "opaque"]],
  ["A=1 b", ["b", "opaque"]],
  ["PATH=. b", ["b", "opaque"]],
  ["export A=$(b); c", ["b", "c", "opaque"]],
  ["IFS=x; a", ["a", "opaque"]],
  ["a $((b))", ["a …", "opaque"]],
  ["a $[1]", ["opaque"]],
  ["a ${b@P} ${c:=$(d)}", ["d", "a … …", "opaque"]],
  ["a $'b'", ["opaque"]],
  ["coproc a", ["opaque"]],
  ["cat <<X\n$(a)\nX", ["a", "cat", "opaque"]],
  ["a <<X <<Y\nX\nY\nb", ["opaque"]],
  ["a > $b", ["a", "opaque"]],
  ["a > /dev/tcp/host/1", ["a", "opaque"]],
  ["a >&'$(b)'", ["a", "opaque"]],
  ["a 'b", ["opaque"]],
  ["a )", ["opaque"]],
  ["if a; then b", ["opaque"]],
  ["a\r\nb", ["opaque"]],
  ["a\u00a0b", ["opaque"]],
  ["a\u200bb", ["opaque"]],
  ["a\0b", ["opaque"]],
  ["a \ud800", ["opaque"]],
  ["a 'b\\\nc' \\\n d", ["opaque"]],
])("does not pretend to understand %j", async (text, expected) => {
  expect((await shown(text)).slice(-1)).toEqual(["opaque"])
  // What is found besides is for the rules that forbid.
  expect(await shown(text)).toEqual(expect.arrayContaining(expected))
})

// In none of them a shell was seen to run anything else. Where the parser and a shell could differ nothing is trusted.
test.each([
  ["echo <(\na\n", "it is not a whole shell command"],
  ["[ 1 ] <<X\n X\nX\n", "a here-document is not understood"],
  ["cat <<X\na\nX\ncat <<Y\nb\nY", "a here-document is not understood"],
  ["echo \\ # ", "it can be read in more than one way"],
  ['echo "$[x]"', "it calculates"],
])("what could be read in two ways is not read: %j", async (text, reason) => {
  expect((await readShell(text)).opaque).toBe(reason)
})

test("why it is opaque is said for whoever is asked", async () => {
  expect((await readShell("eval x")).opaque).toBe("eval may run or change something else")
  expect((await readShell("LD_PRELOAD=./x a")).opaque).toBe(
    "it sets LD_PRELOAD, which may change what programs do",
  )
})

const flagged: [string, Partial<ShellReading>][] = [
  ["a", { plain: true }],
  ["cd a && b", { wanders: true }],
  ["a <(b)", { bash: true }],
  ["a &> b", { bash: true }],
  ["[[ -f a ]]", { bash: true }],
  ["printf a", {}],
  ["a; b", {}],
]

test.each(flagged)("says of %j what it takes to run it: %j", async (text, flags) => {
  const { commands: _, writes: _w, reads: _r, ...rest } = await readShell(text)
  expect(rest).toEqual(flags)
})

const hostile = [
  ...["a", "'", '"', "`", "$(", "((", "{", "[[ ", "a;", "a|", "\\\n", "<<X\n", "a=", "$", "${", "if ", "\n"],
  ...[
    "echo 'a' \"",
    "case a in ",
    "<(",
    "()",
    "x() ",
    "# ",
    "\\",
    "*",
    "~",
    "a\t",
    "&",
    "é",
    "\u{1f600}",
    "a > b ",
  ],
]

test.each(hostile)("a megabyte of it is refused at once: %j", async (piece) => {
  const long = piece.repeat((1 << 20) / piece.length)
  for (const text of [long, `a ${long}`, `a 'x' ${long}'`]) {
    const cpu_ms = await cpuOf(async () => expect((await readShell(text)).opaque).toBeDefined())
    expect(cpu_ms).toBeLessThan(500)
  }
})

/** How long the event loop had no turn while something was done, in milliseconds. */
async function longestBeat(work: () => Promise<unknown>): Promise<number> {
  let [last, longest] = [performance.now(), 0]
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  await work()
  clearInterval(beat)
  return longest
}

test.each(hostile)(
  "what is hard to read takes none of the event loop's time, and harms nobody: %j",
  async (piece) => {
    const text = piece.repeat((shell_chars_max - 8) / piece.length)
    await readShell("a; b")
    const longest: number[] = []
    // On a busy machine a beat may be late for reasons that are not ours.
    while (longest.length < 4 && (longest.length === 0 || Math.min(...longest) >= 100)) {
      longest.push(await longestBeat(() => readCommand(text)))
    }
    expect(Math.min(...longest)).toBeLessThan(100)
    expect((await readShell("a; b")).commands).toEqual([{ words: ["a"] }, { words: ["b"] }])
  },
  20_000,
)

test("a text on which the parser gives up for good is no harm to the next", async () => {
  expect((await readShell("a|".repeat(16_000))).opaque).toBe("it is too much to read")
  expect((await readShell("a; b")).commands).toEqual([{ words: ["a"] }, { words: ["b"] }])
}, 20_000)

test("a list of words is judged without a shell, however hostile", async () => {
  const words = ["echo", "$(a)", "; b", "\0", "\n", "*", "x".repeat(1 << 20)]
  const found = await readCommand(words)
  expect(found).toMatchObject({ words, programs: [{ words }], writes: [], reads: [] })
})

test("whatever is quoted is one word, and comes back the same", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "grapheme-ascii" }), { minLength: 1 }), async (words) => {
      const text = toText(["a", ...words])
      fc.pre(!text.includes("$["))
      const { commands, writes, reads, opaque } = await readShell(text)
      expect([commands, writes, reads, opaque]).toEqual([[{ words: ["a", ...words] }], [], [], undefined])
    }),
  )
})
