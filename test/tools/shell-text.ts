// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are for a shell.
import fc from "fast-check"

const words = [
  "echo",
  "canary",
  "echo a",
  "a",
  "x",
  "1",
  "",
  "-n",
  "--",
  "cat",
  "env",
  "sh -c",
  "bash -c",
  "true",
  "set",
  "-e",
]
const more_words = [
  "x=a",
  "x=canary",
  "LANG=C",
  "f",
  "cd .",
  "test",
  "printf",
  "-v",
  "command",
  "exec",
  "eval",
  "time",
  "xargs",
]
const marks = [
  ";",
  "&",
  "|",
  "&&",
  "||",
  "|&",
  "\n",
  "\\\n",
  "(",
  ")",
  "{",
  "}",
  "$(",
  "`",
  "((",
  "))",
  "[[",
  "]]",
  "[",
  "]",
]
const quotes = [
  "'",
  '"',
  "\\",
  "\\\\",
  "$",
  "${",
  "$'",
  '$"',
  "#",
  "!",
  "~",
  "*",
  "?",
  "{a,b}",
  "\t",
  " ",
  "  ",
]
const redirections = [
  ">",
  ">>",
  "<",
  "<<X",
  "<<'X'",
  "<<-X",
  "<<<",
  ">&",
  "2>&1",
  ">new",
  "</dev/null",
  "&>new",
  "\nX\n",
  "X",
  "<(",
]
const keywords =
  "if then else elif fi for x in do done while until case esac ;; function select coproc !".split(" ")
const values = [
  "$x",
  "${x}",
  '"$x"',
  "$((1+1))",
  "$((x))",
  "${x:-canary}",
  "${x:-$(canary)}",
  "$@",
  "$0",
  "${x@P}",
  "$[1]",
  "{1..2}",
]
const pieces = [
  "$(canary)",
  "`canary`",
  '"$(canary)"',
  "'$(canary)'",
  "x() { canary; }",
  "f() {",
  "canary;",
  "; canary",
  "&& canary\n",
]

const fragments = [
  ...words,
  ...more_words,
  ...marks,
  ...quotes,
  ...redirections,
  ...keywords,
  ...values,
  ...pieces,
]
const joint = fc.constantFrom(" ", " ", " ", "", "\n", ";", " ; ")

/** Fragments of shell, joined somehow: most of it no shell would run, and some of it in no way that one would think. */
export const shellSoup = fc
  .array(fc.tuple(fc.constantFrom(...fragments), joint), { minLength: 1, maxLength: 12 })
  .map((parts) => `echo ${parts.map(([piece, between]) => piece + between).join("")}`)

const simple = fc.constantFrom(
  "echo a",
  "echo $x",
  "canary",
  "true",
  "x=a",
  "echo 'canary'",
  "cd .",
  "[ -n a ]",
  "echo a >new",
  "cat <&-",
)
const quoted = fc
  .constantFrom("'", '"', "")
  .chain((mark) =>
    fc
      .array(
        fc.constantFrom(
          "a",
          "$x",
          "\\",
          "\\'",
          '\\"',
          "$(canary)",
          "`canary`",
          "#",
          ";",
          "\n",
          " ",
          "$",
          "{",
          "}",
          "*",
          "~",
          "!",
        ),
        { maxLength: 6 },
      )
      .map((parts) => mark + parts.join("") + mark),
  )

/** What a shell does run, for the most part. */
export const shellProgram: fc.Arbitrary<string> = fc.letrec<{ list: string; command: string }>((tie) => ({
  list: fc
    .array(fc.tuple(tie("command"), fc.constantFrom("; ", "\n", " && ", " || ", " | ", " & ", ";")), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) =>
      parts.map(([command, after], index) => command + (index < parts.length - 1 ? after : "")).join(""),
    ),
  command: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    simple,
    quoted.map((word) => `echo ${word}`),
    fc.tuple(quoted, quoted).map(([a, b]) => `echo ${a}${b} # ${a}`),
    tie("list").map((list) => `echo $(${list})`),
    tie("list").map((list) => `echo "b $(${list})"`),
    tie("list").map((list) => `echo \`${list}\``),
    tie("list").map((list) => `{ ${list}; }`),
    tie("list").map((list) => `(${list})`),
    tie("list").map((list) => `if true; then ${list}; fi`),
    tie("list").map((list) => `for x in a $x; do ${list}; done`),
    tie("list").map((list) => `case a in a) ${list};; b) canary;; esac`),
    tie("list").map((list) => `f() { ${list}; }`),
    tie("list").map((list) => `env ${list}`),
    tie("list").map((list) => `sh -c '${list}'`),
    tie("list").map((list) => `bash -c "${list}"`),
    fc
      .tuple(fc.constantFrom("X", "'X'", "\\X"), tie("list"))
      .map(([end, list]) => `cat <<${end}\n${list}\nX\n`),
    fc
      .tuple(fc.constantFrom("$x", "${x}", "${x:-a}", "${#x}", "$((1))"), tie("list"))
      .map(([x, list]) => `echo ${x} && ${list}`),
  ),
})).list

const options: Record<string, string> = {
  env: "-i -u X - -S -v -- A=1 LANG=C -0 --unset=X --split-string=canary -iS",
  nice: "-n 5 -n5 --adjustment=5 -5 -- -",
  timeout: "-k 1 5 -s KILL --foreground -v --signal=9 -- -k1",
  stdbuf: "-o0 -o L -i0 --output=L --",
  setsid: "-w -f --wait --",
  xargs: "-0 -n 1 -I {} -I{} -i -r -t -P2 -d x -a notes.txt -L1 -- -E -l -e",
  find: ". notes.txt -exec {} ; + -execdir -ok -name x -o ! -prune -print -maxdepth 0 -quit",
  flock: "notes.txt -c -n -x -w 1 -- -o -F",
  sh: "-c -e -x -s +x -o pipefail -- -ec -ce $0 -",
  bash: "-c -e -x -s -O extglob +O --norc --posix -p -- -lc -D $0",
  awk: '-f -v x=1 -F : BEGIN{system("canary")} -- {print} BEGIN{print|"canary"} notes.txt BEGIN{x=1} -e',
  sed: "-n -e 1e\tcanary s/.*/canary/e p -E notes.txt --expression=1e\tcanary -s -- 1p s/a/b/g",
  sort: "--compress-program=canary --comp=canary -S 1k -T . notes.txt -r -- -k1 -S1k --batch-size=2",
  tar: "cf /dev/null -cf notes.txt --checkpoint=1 --checkpoint-action=exec=canary -I canary --use=canary -Icanary cIf -F",
  git: "-c alias.x=!canary x status --no-pager clone --upload-pack=canary -u . out ls-remote grep -O a diff --ext-diff",
  busybox: "sh -c",
  command: "-v -p --",
  exec: "-a x --",
  printf: "-v a[$(canary)] %s",
  test: "-v a[$(canary)] -f",
}

/** Words for programs that can run others, their options in any order. */
export const launcherCall: fc.Arbitrary<string[]> = fc.constantFrom(...Object.keys(options)).chain((name) => {
  const own = fc.constantFrom(...options[name]!.split(" ").map((word) => word.replace("\t", " ")))
  const others = fc.constantFrom("canary", "canary", "echo", "a", "eval canary", ...Object.keys(options))
  const words = fc.oneof({ weight: 5, arbitrary: own }, { weight: 3, arbitrary: others })
  return fc.array(words, { maxLength: 6 }).map((rest) => [name, ...rest])
})
