// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are for a shell.
/** What is judged before it runs, held against what it does when it runs. Everything here runs in the sandbox. */
import { afterAll, expect, test } from "bun:test"
import fc from "fast-check"
import { toText } from "../../src/security/shell/commands.ts"
import { launcherCall, shellProgram, shellSoup } from "./shell-text.ts"
import { openShellWorld } from "./shell-world.ts"

const world = openShellWorld()
afterAll(() => world[Symbol.asyncDispose]())

const only_echo = { allow: ["exec:echo"] }
const heredoc = (start: string, body: string, end = "X", more = "") => `cat ${start}${more}\n${body}\n${end}`

/** Each runs the canary, in some way that "echo" hides. */
const bypasses = [
  // One command after another.
  "echo a; canary",
  "echo a;canary",
  "echo a && canary",
  "false || canary",
  "echo a | canary",
  "echo a |& canary",
  "echo a & canary",
  "echo a\ncanary",
  "echo a\n\n\tcanary",
  "! canary",
  "echo a ; canary",
  "canary # echo",
  "echo a #b\ncanary",
  "echo a#;canary",
  "echo \\# ;canary",
  'echo "#";canary',
  "echo '#' ;canary",
  // Substitutions.
  "echo $(canary)",
  "echo `canary`",
  'echo "$(canary)"',
  'echo "`canary`"',
  'echo "a $(echo b "$(canary)")"',
  "echo $(echo `canary`)",
  "echo `echo \\`canary\\``",
  'echo "${x:-$(canary)}"',
  "echo ${x:=`canary`}",
  "echo ${x:+}${PATH:+$(canary)}",
  "echo $((1 + $(canary; echo 1)))",
  "echo $((x['$(canary)']))",
  "echo $[$(canary)1]",
  "x='a[$(canary)]'; echo \"$[x]\"",
  "echo <(canary); wait",
  "echo >(canary); wait",
  "x='a[$(canary)]'; echo \"$((x))\"",
  "y=abc; x='a[$(canary)]'; echo ${y:x:1}",
  "declare -i n='a[$(canary)]'; echo $n",
  "x='$(canary)'; echo \"${x@P}\"",
  "echo a=$(canary)",
  "echo {a,$(canary)}",
  "echo ~$(canary)",
  "echo >&'$(canary)'",
  'echo a >&"a$(canary)"',
  'echo a &>"$(canary)"',
  "echo *$(canary)*",
  // Here-documents and here-strings.
  heredoc("<<X", "$(canary)"),
  heredoc("<<X", "`canary`"),
  heredoc("<<-X", "\t$(canary)"),
  heredoc("<<'X'", "text", "X\ncanary"),
  heredoc("<<\\X", "text", "X\ncanary"),
  heredoc('<<"X"', "text", "X", " ; canary"),
  heredoc("<<X", "text", "X", "; canary"),
  heredoc("<<'X'", "text", "X", " | canary"),
  "echo <<X\nX\ncanary",
  "echo <<'a b'\na b\ncanary",
  "echo <<X <<Y\nX\nY\ncanary",
  "echo <<-X\n\tX\ncanary",
  "cat <<< $(canary)",
  'bash <<< "canary"',
  "bash <<'X'\ncanary\nX",
  "echo canary | bash",
  "echo canary | sh -s",
  // Compound commands and functions.
  "(canary)",
  "{ canary; }",
  "if canary; then echo a; fi",
  "if echo a; then canary; fi",
  "if false; then echo a; elif canary; then echo b; fi",
  "if false; then echo a; else canary; fi",
  "while canary; do break; done",
  "until canary; do echo a; done",
  "for x in a; do canary; done",
  "for x in $(canary); do echo a; done",
  "for ((i=0; i<1; i++)); do canary; done",
  "case a in a) canary;; esac",
  "case $(canary) in *) echo a;; esac",
  "case a in $(canary)) echo a;; a) echo b;; esac",
  "echo() { canary; }; echo a",
  "function echo { canary; }; echo a",
  "echo () (canary); echo a",
  "f() { canary; }; f",
  "coproc canary; wait",
  "[[ $(canary) ]]",
  "[[ -v 'x[$(canary)]' ]]",
  '[ -n "$(canary)" ]',
  "[[ 'a[$(canary)]' -eq 1 ]]",
  "(( x[$(canary)0] ))",
  "time canary",
  "select x in a; do canary; break; done <<< 1",
  // Builtins that run others.
  "eval canary",
  "command eval canary",
  "time eval canary",
  "sh -c 'eval canary'",
  "bash -c \"printf -v 'x[\\$(canary)]' a\"",
  "bash -c \"test -v 'x[\\$(canary)]'\"",
  "eval 'ca''nary'",
  "command canary",
  "builtin command canary",
  "exec canary",
  "trap canary EXIT",
  "trap canary DEBUG; echo a",
  ". ./script.sh",
  "source ./script.sh",
  "alias echo=canary; shopt -s expand_aliases\necho a",
  "shopt -s expand_aliases; alias echo=canary\necho a",
  'hash -p "$(command -v canary)" echo; enable -n echo; echo a',
  'PROMPT_COMMAND=canary; eval "$PROMPT_COMMAND"',
  "mapfile -C canary -c 1 < notes.txt",
  "printf -v 'x[$(canary)]' a",
  "read -r 'x[$(canary)]' < notes.txt",
  "x=(1); unset 'x[$(canary)]'",
  "test -v 'x[$(canary)]'",
  "let 'x[$(canary)]=1'",
  "export PS4='$(canary)'; set -x; echo a",
  "PS4='$(canary)'; set -x; echo a",
  "IFS=x; a=canary; $a",
  "a=canary; $a",
  "a=can; ${a}ary",
  "c''anary",
  'c"a"nary',
  "\\canary",
  "c\\anary",
  "$'canary'",
  "$'\\x63anary'",
  "c\\\nanary",
  '$"canary"',
  "{canary,a}",
  "ca{nary,}",
  "BASH_ENV=./script.sh bash -c 'echo a'",
  "ENV=./script.sh sh -c 'echo a'; canary",
  "a=1 canary",
  "LANG=C canary",
  "2>/dev/null canary",
  "</dev/null canary",
  // Programs that run others.
  "env canary",
  "env -i PATH=$PATH canary",
  "env -S 'canary a'",
  "env A=1 canary",
  "nice canary",
  "nice -n 5 canary",
  "nohup canary",
  "timeout 5 canary",
  "timeout -k 1 5 canary",
  "setsid -w canary",
  "stdbuf -o0 canary",
  "ionice -c 2 canary",
  "flock notes.txt canary",
  "flock notes.txt -c canary",
  "echo canary | xargs -n1 env",
  "echo a | xargs canary",
  "echo canary | xargs -I{} env {}",
  "echo canary | xargs -I{} sh -c {}",
  "find . -name notes.txt -exec canary {} ';'",
  "find notes.txt -exec canary {} +",
  "find notes.txt -exec echo {} ';' -exec canary ';'",
  "find notes.txt -execdir canary ';'",
  "sh -c canary",
  "bash -ec 'echo a; canary'",
  "sh -c 'sh -c \"canary\"'",
  "sh -c '$0' canary",
  "bash -c 'echo \"$(canary)\"'",
  "bash -O expand_aliases -c canary",
  "bash +x -c canary",
  "awk 'BEGIN { system(\"canary\") }'",
  "awk 'BEGIN { \"canary\" | getline }'",
  "awk 'BEGIN { print 1 | \"canary\" }'",
  "sed '1e canary' notes.txt",
  "sed 's/.*/canary/e' notes.txt",
  "perl -e 'system(\"canary\")'",
  "tar cf /dev/null notes.txt --checkpoint=1 --checkpoint-action=exec=canary",
  "tar cf /dev/null notes.txt --use-compress-program=canary",
  "tar -cf /dev/null -I canary notes.txt",
  "sort -S 1k --compress-program=canary notes.txt; canary",
  "git -c alias.x='!canary' x",
  "git --exec-path=. -c core.pager=canary -p version; canary",
  "make -f - <<< 'a:;canary'",
  "make -s --eval='$(shell canary)' a",
]

const all_but_canary = { allow: ["execute", "read", "write"], deny: ["exec:canary"] }

test.each(bypasses)("runs more than echo, and is not taken for echo: %j", async (command) => {
  const { canary, stderr } = await world.run(["/bin/bash", "-c", "--", command])
  const ran = canary || (await world.run(["/bin/sh", "-c", "--", command])).canary
  expect([command, ran, ran ? "" : stderr]).toEqual([command, true, ""])
  expect(await world.judge(command, only_echo)).not.toBe("allow")
  expect(await world.judge(command, all_but_canary)).not.toBe("allow")
})

test.each([
  "./script.sh",
  "$PWD/script.sh",
  "sh script.sh",
  "bash ./script.sh",
  "env ./script.sh",
  "nice sh script.sh",
])("a file that runs more than echo is shown as it is: %s", async (command) => {
  expect((await world.run(["/bin/bash", "-c", "--", command])).canary).toBe(true)
  expect(await world.judge(command, only_echo)).not.toBe("allow")
  if (command.includes("$")) return
  const scripts = (await world.targets(command)).flatMap(({ script }) => script ?? [])
  const sha256 = new Bun.CryptoHasher("sha256").update("#!/bin/sh\ncanary from a script\n").digest("hex")
  expect(scripts).toEqual([{ path: "script.sh", sha256 }])
})

test.each([
  "echo a > new.txt",
  "echo a >> notes.txt",
  "echo a >| notes.txt",
  "echo a &> new.txt",
  "echo a &>> notes.txt",
  "echo a >& new.txt",
  "echo a 1> new.txt",
  "echo a 2> new.txt",
  "> new.txt",
  ">new.txt echo a",
  "echo a >new.txt>notes.txt",
  "{ echo a; } > new.txt",
  "(echo a) > new.txt",
  "for x in a; do echo $x; done > new.txt",
  "if true; then echo a; fi > new.txt",
  "echo $(echo a > new.txt)",
  "echo a | { echo b > new.txt; }",
  "exec > new.txt; echo a",
  "x=new.txt; echo a > $x",
  "echo a > $HOME/new.txt",
  "echo a > ~/new.txt",
  "echo a > n*.txt",
  "cd .; echo a > new.txt",
  "echo a <> new.txt",
  "echo a {x}> new.txt",
  "[ a > new.txt ]",
  "test a > new.txt",
  "true > new.txt",
  "echo a 3> new.txt >&3",
  "sh -c 'echo a > new.txt'",
  "set -o noclobber; echo a >| new.txt",
  "cat <<X > new.txt\na\nX",
])("a redirection is a write of its own: %j", async (command) => {
  expect((await world.run(["/bin/bash", "-c", "--", command])).changed).not.toEqual([])
  expect(await world.judge(command, { allow: ["exec:*"] })).not.toBe("allow")
  expect(await world.judge(command, { allow: ["execute"], deny: ["write:*.txt"] })).not.toBe("allow")
})

/** As useful as it is safe: these do nothing but echo, and may be understood. */
const harmless = [
  "echo",
  "echo a",
  "  echo   a  ",
  "echo a\n",
  "echo 'a; canary'",
  'echo "a && canary"',
  "echo '$(canary)' '`canary`'",
  'echo "\\$(canary) \\`canary\\`"',
  "echo a\\;canary",
  "echo a # canary",
  "echo a#canary",
  "echo a; echo b",
  "echo a;",
  "echo a &",
  "echo a && echo b || echo c",
  "echo a | echo b",
  "echo a |& echo b",
  "! echo a",
  "echo a\necho b\n",
  "echo a \\\n  b",
  "echo a &&\n  echo b",
  "echo $(echo a)",
  "echo `echo a`",
  'echo "$(echo "$(echo a)")"',
  "echo <(echo a)",
  'echo $HOME ${HOME} "$HOME" ${#HOME} ${x:-none} ${HOME##*/} $? $$ $1 $@',
  "echo $((1 + 2))",
  "echo *.txt [a-z]* ?otes.txt ~ {a,b} {1..3} a{b,c}d",
  "echo a > /dev/null 2>&1",
  "echo a 2>/dev/null >&2",
  "(echo a; echo b)",
  "{ echo a; echo b; }",
  "if true; then echo a; elif false; then echo b; else echo c; fi",
  "for x in a b; do echo $x; done",
  'for x in a b\ndo\n  echo "$x"\ndone',
  "while true; do echo a; break; done",
  "until false; do echo a; exit; done",
  "case $HOME in /root|/home/*) echo a;; *) echo b;; esac",
  "[ -f notes.txt ] && echo a",
  "[[ -f notes.txt && $HOME == /* ]] && echo a",
  "test -f notes.txt && echo a",
  "set -euo pipefail; echo a",
  "cd . && echo a",
  "x=1; y=$x; echo $y",
  'x=$(echo a); echo "$x"',
  "LANG=C TZ=UTC echo a",
  "echo a=b --c=d -e 5% a@b:c,d+e",
  "command -v canary || echo a",
  "time echo a",
  "command echo a",
  "exec echo a",
]

test.each(harmless)("does nothing but echo, and is understood: %j", async (command) => {
  expect((await world.run(["/bin/bash", "-c", "--", command])).changed).toEqual([])
  expect(await world.judge(command, only_echo)).toBe("allow")
})

// Never run, not even in a sandbox.
test.each([
  ":(){ :|:& };:",
  ":() { : | : & }; :",
  "bomb() { bomb | bomb & }; bomb",
  "function f { f & f; }; f",
  "$0 & $0 &",
  "sh -c '$0 $0 & $0 $0 &' sh",
  "echo 'x() { x | x & }; x' | sh",
  "perl -e 'fork while 1'",
  "python3 -c 'import os\nwhile 1: os.fork()'",
])("a bomb is not allowed, whatever is: %s", async (command) => {
  expect(await world.judge(command, only_echo)).not.toBe("allow")
  expect(await world.judge(command, { allow: ["*", "execute", "exec", "exec:*"] })).toBe("ask")
})

test.each([
  ["soup", shellSoup],
  ["programs", shellProgram],
] as const)(
  "whatever is allowed does not run what is not: %s",
  async (_name, texts) => {
    await fc.assert(
      fc.asyncProperty(texts, async (command) => {
        const echo = (await world.judge(command, only_echo)) === "allow"
        const others = (await world.judge(command, all_but_canary)) === "allow"
        if (!echo && !others) return
        const { changed, canary } = await world.run(["/bin/bash", "-c", "--", command])
        expect(canary).toBe(false)
        if (echo) expect(changed).toEqual([])
      }),
      { numRuns: 300 },
    )
  },
  60_000,
)

test("programs that run others run none that is not allowed, as words, in a shell and in a shell's shell", async () => {
  await fc.assert(
    fc.asyncProperty(launcherCall, fc.constantFrom("words", "shell", "inner"), async (words, how) => {
      const text = toText(words)
      const command = { words, shell: `${text}; true`, inner: toText(["sh", "-c", text]) }[how]
      if ((await world.judge(command, all_but_canary)) !== "allow") return
      const argv =
        how === "words"
          ? [world.context.findProgram(words[0]!)!, ...words.slice(1)]
          : ["/bin/bash", "-c", "--", command as string]
      expect((await world.run(argv)).canary).toBe(false)
    }),
    { numRuns: 300 },
  )
}, 60_000)
