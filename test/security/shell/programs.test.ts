// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are for a shell.
import { expect, test } from "bun:test"
import { parseRules } from "../../../src/security/permissions.ts"
import { readCommand, toText } from "../../../src/security/shell/commands.ts"

/** What would run besides the command itself, "!" where that cannot be told. */
async function behind(command: string): Promise<string[]> {
  const { programs, opaque } = await readCommand(command)
  const [, ...inner] = programs.map(({ words }) => toText(words))
  const unclear = opaque !== undefined || programs.some((program) => program.opaque !== undefined)
  return [...inner, ...(unclear ? ["!"] : [])]
}

test.each([
  ["env a b", ["a b"]],
  ["env -i LANG=C -u X a b", ["!"]],
  ["env -i -u X LANG=C a b", ["a b"]],
  ["env", []],
  ["env PATH=. a", ["!"]],
  ["env LD_PRELOAD=./x.so a", ["!"]],
  ["env -S 'a b'", ["!"]],
  ["env -C / a", ["!"]],
  ["env --ignore a", ["!"]],
  ["nice -n 5 a", ["a"]],
  ["nice -n5 a", ["a"]],
  ["nice -5 a", ["!"]],
  ["nohup a b", ["a b"]],
  ["timeout -k 5 10 a b", ["a b"]],
  ["timeout --signal=KILL 10 a", ["a"]],
  ["timeout 5 timeout 5 nice a", ["timeout 5 nice a", "nice a", "a"]],
  ["stdbuf -oL a", ["a"]],
  ["setsid -w a", ["a"]],
  ["ionice -c 3 a", ["a"]],
  ["taskset -c 0 a", ["a"]],
  ["chrt -b 0 a", ["a"]],
  ["flock x a", ["a"]],
  ["flock x -c 'a'", ["!"]],
  ["busybox a", ["a"]],
  ["busybox sh -c 'a; b'", ["sh -c 'a; b'", "a", "b"]],
  ["xargs a", ["a …"]],
  ["xargs -0 -n 1 a b", ["a b …"]],
  ["xargs -I{} a b {}", ["a …"]],
  ["xargs -a x a", ["!"]],
  ["find . -name x -exec a b '{}' ';'", ["a b …"]],
  ["find . -exec a {} + -exec b ';'", ["a …", "b"]],
  ["find . -execdir a {} ';'", ["a …", "!"]],
  ["find . -ok a ';'", ["a"]],
  ["find . -delete", ["!"]],
  ["find . -fprint x", ["!"]],
  ["find . -exec {} ';'", ["!"]],
  ["find . -exec a", ["!"]],
  ["find . -name '*.ts' -newer x", []],
  ["sh -c 'a | b'", ["a", "b"]],
  ["bash -euxc 'a'", ["a"]],
  ["sh -c \"sh -c 'a'\"", ["sh -c a", "a"]],
  ["sh -c 'a <(b)'", ["b", "a …", "!"]],
  ["bash -c 'a <(b)'", ["b", "a …"]],
  ["bash -lc a", ["!"]],
  ["bash --rcfile x -ic a", ["!"]],
  ["bash -s", ["!"]],
  ["sh", ["!"]],
  ["sh script.sh", []],
  ["zsh -c a", ["!"]],
  ["/bin/sh -c a", ["a"]],
  ["./sh -c a", ["a"]],
])("%s would run besides: %j", async (command, expected) => {
  expect(await behind(command)).toEqual(expected)
})

test.each([
  ..."sudo a|su -c a|doas a|script -c a x|watch a|strace a|gdb --args a|ssh host a|scp a b:c|docker run a".split(
    "|",
  ),
  ..."parallel a ::: b|chroot / a|unshare a|nsenter a|systemd-run a|screen a|tmux new a|at now|crontab x".split(
    "|",
  ),
  ..."python -c a|python3.12 -ca|python -|python -i|python -X importtime a.py|python|perl -e a|perl -ne a".split(
    "|",
  ),
  ..."perl -Mx a|ruby -e a|node -e a|node --eval=a|node -p a|node -r ./a b.js|node --import ./a b.js|php -r a".split(
    "|",
  ),
  ..."bun -e a|bun x a|bunx a|npx a|npm exec a|npm --prefix /x test|pnpm dlx a|yarn a|deno eval a".split("|"),
  ..."tar cf x y --checkpoint-action=exec=a|tar xf x --to-command=a|tar xf x --to-comm a|tar -I a -cf x y".split(
    "|",
  ),
  ..."tar -xf host:x|tar --use-compress-program a -cf x y|tar cIf a x|tar --rsh-command=a -xf x|tar xf x -F a".split(
    "|",
  ),
  ..."rsync -e a b c|rsync -ave a b c|rsync --rsh=a b c|rsync --rsync-path=a b c|rsync a host:b".split("|"),
  ..."sort -o x y|sort --compress-program=a x|sort --compress=a x|sort --comp a x|sort --o x y".split("|"),
  ..."git -c a=b status|git --exec-path=. status|git -C x status|git --git-dir=x log|git -p log|git x".split(
    "|",
  ),
  ..."git clone --upload-pack=a b|git clone -u a b|git fetch --upload-pack a|git ls-remote --upload-p=a b".split(
    "|",
  ),
  ..."git clone ext::a|git push --receive-pack=a|git push --exec=a|git grep -Oa b|git grep --open-files=a b".split(
    "|",
  ),
  ..."git diff --ext-diff|git log --textconv|git rebase -x a|git bisect run a|git submodule foreach a|git config a b".split(
    "|",
  ),
  ..."git init --template=x|git commit --gpg-sign=x|git filter-branch a|git difftool|git mergetool|git clone -c a=b x".split(
    "|",
  ),
  ..."awk 'BEGIN{system(\"a\")}'|awk '{print > \"x\"}'|awk -f x|gawk -e a".split("|"),
  ..."sed -i s/a/b/ x|sed 's/a/b/e' x|sed 's/a/b/w x' y|sed e x|sed '1e a' x|sed 'w x' y|sed -f x|sed -n -i p x".split(
    "|",
  ),
  ..."sed -e p -e 'e a' x|sed 's/a/b/;e' x|sed --expression=e x|sed 'r /etc/passwd' x|sed 1!G x".split("|"),
  ..."vim -c '!a' x|ex x|less x|man a|ed x|emacs -e a|make SHELL=a|make -f x|make --eval=a|make -Ea".split(
    "|",
  ),
  ..."rg --pre a b|rg --hostname-bin a|fd -x a|fd --exec a|curl -K x|gcc -wrapper a b.c|gcc -Bx b.c|gcc @x".split(
    "|",
  ),
  ..."go run -exec a .|go test -exec a|go vet -vettool=a|go build -toolexec a|cargo a|cargo --config x build".split(
    "|",
  ),
  ..."wget --use-askpass=a b|openssl x -engine a|zip x y -T -TT a|split --filter=a x|ld.so ./a|ex -c a".split(
    "|",
  ),
  "awk '{ \"a\" | getline }'",
  "go build -ldflags=-extld=a",
  "gcc -Wl,-plugin,x.so a.c",
  "ldd ./a",
  "pdflatex -shell-escape a",
  "eval a",
  "env -- -i",
])("what %s would run is not known", async (command) => {
  expect((await behind(command)).at(-1)).toBe("!")
})

test.each([
  ..."python x.py|python3 -u x.py a|python -m pytest -q|node x.js|node --test|perl -w x.pl|ruby x.rb|bun test x".split(
    "|",
  ),
  ..."bun run build|bun x.ts|npm test|npm run build|npm ci|yarn test|cargo test --release|go test ./...|make -j4 all".split(
    "|",
  ),
  ..."git status --short|git log --oneline -5|git diff --stat -- a|git commit -m 'a b'|git push -u origin main".split(
    "|",
  ),
  ..."git checkout -b x|git add -A|git clone https://host.example/a.git|git stash|git rebase main|git show HEAD:a".split(
    "|",
  ),
  ..."tar czf x.tgz y|tar -xf x.tar -C y|sort -rn x|sort -k2,2 -t, x|rsync -a x y|sed -n 1,5p x|sed 's/a/b/g' x".split(
    "|",
  ),
  ..."sed -E -e 's,a+,b,' x|awk '{print $1, NF}' x|awk -F, 'NR==1{print}' x|rg -n x src|grep -rn x .|curl -s x".split(
    "|",
  ),
  ..."gcc -O2 -o x x.c|jq .a x|ls -la|rm -r x|cp a b|chmod +x a|date +%s|find . -type f|which a|xargs|nice".split(
    "|",
  ),
])("%s runs nothing that it does not say", async (command) => {
  expect(await behind(command)).toEqual([])
})

test.each([
  ["sh x.sh", "x.sh"],
  ["bash -e ./x.sh a", "./x.sh"],
  ["python3 a/x.py b", "a/x.py"],
  ["node x.js", "x.js"],
  ["perl -w x.pl", "x.pl"],
  ["bun x.ts", "x.ts"],
])("the script of %s is known", async (command, script) => {
  expect((await readCommand(command)).programs[0]!.script).toBe(script)
})

test.each([
  "rm x",
  "/bin/rm x",
  "echo a; rm x",
  "echo $(rm x)",
  'echo "`rm x`"',
  "env rm x",
  "env -i nice -n 5 timeout 5 rm x",
  "find . -exec rm {} +",
  "ls | xargs rm",
  "ls | xargs -I{} rm {}",
  "sh -c 'rm x'",
  "sh -c \"bash -c 'nohup rm x'\"",
  "busybox rm x",
  "if true; then rm x; fi",
  "f() { rm x; }; f",
  "command rm x",
  "exec rm x",
  "sudo rm x",
  "ssh host rm x",
  "docker run -v /:/x a rm -r /x",
  "eval rm x",
  "eval 'rm x'",
  "trap 'rm x' EXIT",
  "python3 -c 'import os; os.system(\"rm x\")'",
  "parallel rm ::: x",
  "PATH=/x rm x",
])("a rule that forbids rm holds for %j, whatever else is allowed", async (command) => {
  const { decide } = parseRules({ allow: ["execute", "exec", "exec:*", "read"], deny: ["exec:rm"] }, [
    { name: "exec", effect: "execute", group: "shell" },
  ])
  const { programs, opaque } = await readCommand(command)
  const verdicts = programs.map(
    ({ words, ...program }) =>
      decide("exec", {
        ...{ effect: "execute", kind: "program", text: toText(words), words },
        ...(program.opaque !== undefined && { opaque: true }),
      }).verdict,
  )
  if (opaque !== undefined) {
    const words = ["/bin/bash", "-c", command]
    verdicts.push(
      decide("exec", { effect: "execute", kind: "program", text: command, words, opaque: true }).verdict,
    )
  }
  expect(verdicts).toContain("deny")
})

test("one within another is followed only so far, and then said to be too deep", async () => {
  const { programs, opaque } = await readCommand(`${"nice ".repeat(40)}a`)
  expect([programs.length, opaque]).toEqual([
    9,
    "it runs too many programs, or one within another too deeply",
  ])
})
