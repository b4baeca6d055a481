/** Programs that are there for something else and can be made to run others by an option, a script or a program text. */
import { refused, type Unwrapped } from "./reader.ts"
import type { Words } from "./shell.ts"

type Read = (args: Words, name: string) => Unwrapped

const nothing: Unwrapped = { commands: [] }

export const tools: Record<string, Read> = {
  python: interpreter(/^-[uBOsEIvVq]+$|^--version$|^--help$/, { module: "-m" }),
  pypy: interpreter(/^-[uBOsEIvVq]+$|^--version$/, { module: "-m" }),
  perl: interpreter(/^-[wWtTv]+$|^--version$/),
  ruby: interpreter(/^-[wWvy]+$|^--version$/),
  node: interpreter(/^(--test|--version|-v|--help|--check)$/),
  nodejs: interpreter(/^(--test|--version|-v|--help|--check)$/),
  php: interpreter(/^(-l|-v|--version|-i|-m)$/),
  lua: interpreter(/^(-v|-W)$/),
  luajit: interpreter(/^-v$/),
  bun: subcommands("test run install add remove update build outdated pm why audit --version --help -v", [
    /^-([epcr]|$)|^--(eval|print|preload|require|import|config|cwd|env-file|shell|script-shell|bun|filter)/,
  ]),
  deno: subcommands("test check fmt lint info doc bench --version --help", [
    /^--(eval|import-map|config|allow|A|P)|^-A$/,
  ]),
  npm: subcommands(
    "test t run run-script ci install i ls list outdated view audit start stop version prune --version",
    [/^-(?!-version$|-silent$|-if-present$|-workspaces$|D$|-save-dev$|-omit=dev$|-$)/],
  ),
  pnpm: subcommands("test run install add remove build ls list outdated audit start --version", [
    /^-(?!-version$|D$|-$)/,
  ]),
  yarn: subcommands("test run install add remove build outdated audit start --version", [
    /^-(?!-version$|D$|-$)/,
  ]),
  cargo: subcommands("build check test run clippy fmt doc clean tree update metadata bench --version", [
    /^--(conf|expl|manifest)|^-[CZ]|^\+/,
  ]),
  go: subcommands("build test vet fmt run mod list doc version env tool install generate", [
    /^--?(exec|toolexec|vettool|overlay|C|gccgoflags|compiler)\b|^-w$|ext(ld|ar)/,
  ]),
  make: guarded([/=|^--(ev|file|makef|dir|inc|sh)|^-[a-zA-Z]*[EfCI]/]),
  gmake: guarded([/=|^--(ev|file|makef|dir|inc|sh)|^-[a-zA-Z]*[EfCI]/]),
  git: readGit,
  tar: guarded([/^--(ch|to-|us|rs|in|ne|rm|I)/, /^-[a-zA-Z]*[IF]/, /:/], { first: /^[a-zA-Z]*[IF]/ }),
  rsync: guarded([/^--rs|^-[a-zA-Z]*e|:/]),
  sort: guarded([/^--(co|o|f)|^-[a-zA-Z]*[oT]/]),
  awk: readAwk,
  gawk: readAwk,
  mawk: readAwk,
  nawk: readAwk,
  sed: readSed,
  gsed: readSed,
  rg: guarded([/^--(pre|hostn|sear)|^-[a-zA-Z]*z/]),
  fd: guarded([/^--(exec|li)|^-[a-zA-Z]*[xXl]/]),
  ag: guarded([/^--pager/]),
  date: guarded([]),
  ...Object.fromEntries(
    "gcc g++ cc c++ clang clang++"
      .split(" ")
      .map((name) => [name, guarded([/^-+(wrapper|B|specs|fplugin|Xclang|load|prefix)|^@|plugin/])]),
  ),
  curl: guarded([/^--(conf|eng)|^-[a-zA-Z]*K/]),
  jq: guarded([]),
  openssl: guarded([/engine|provider/]),
  ln: guarded([]),
  ld: guarded([/plugin|^@/]),
  ...Object.fromEntries(
    "tex latex pdftex pdflatex luatex lualatex xetex xelatex"
      .split(" ")
      .map((name) => [name, guarded([/shell|write18|cnf/])]),
  ),
}

/** Where an option that is not known yet might be one that runs something, nothing may be unknown. */
function guarded(risky: RegExp[], { first }: { first?: RegExp } = {}): Read {
  return (args, name) => {
    if (risky.length === 0) return nothing
    if (args.includes(null)) return refused(`an option of ${name} could run another program`)
    const found = args.some((word) => risky.some((pattern) => pattern.test(word!)))
    return found || first?.test(args[0] ?? "")
      ? refused(`an option of ${name} can run another program`)
      : nothing
  }
}

function subcommands(known: string, risky: RegExp[]): Read {
  const names = known.split(" ")
  const guard = guarded(risky)
  return (args, name) => {
    const [first] = args
    if (first === undefined) return nothing
    if (first !== null && names.includes(first)) {
      // bun runs a program of PATH where there is no script of that name.
      const own =
        name === "bun" && first === "run"
          ? args.find((word, index) => index > 0 && !word?.startsWith("-"))
          : undefined
      return { ...guard(args, name), ...(own && { name: own }) }
    }
    if (first !== null && name === "bun" && /^[\w./-]+\.[cm]?[jt]sx?$/.test(first))
      return { commands: [], script: first }
    return refused(`what ${name} would run is not known`)
  }
}

/** The first word that is no option is a script; without one it reads its program from elsewhere. */
function interpreter(harmless: RegExp, { module }: { module?: string } = {}): Read {
  return (args, name) => {
    for (const [index, word] of args.entries()) {
      if (word === null) return refused(`what ${name} would run is not known`)
      if (module !== undefined && word === module)
        return args[index + 1] === null ? refused(`what ${name} would run is not known`) : nothing
      if (!word.startsWith("-")) return { commands: [], script: word }
      if (!harmless.test(word))
        return refused(`${name} is given its program in its words, or an option that is not understood`)
    }
    return args.length > 0 ? nothing : refused(`${name} reads its program from its input`)
  }
}

const git_commands = new Set(
  (
    "add am apply blame branch cat-file check-ignore checkout cherry-pick clean clone commit describe diff fetch for-each-ref " +
    "grep init log ls-files ls-remote ls-tree merge merge-base mv pull push rebase reflog remote reset restore rev-list rev-parse " +
    "revert rm shortlog show show-ref stash status switch symbolic-ref tag worktree --version --help version"
  ).split(" "),
)

/** Any long option may be shortened. Aliases and hooks are the repository's, which the sandbox is for. */
const git_risky =
  /^--(up|rec|exe|ext|textc|open|conf|tem|gpg|si|ed|int|cont|git-|work|sep|rec|dif|sub|rem.*=)|^-[a-zA-Z]*[xOcSiu]|^ext::|::/

function readGit(args: Words): Unwrapped {
  const at = args.findIndex((word) => word === null || !/^(--no-pager|-P)$/.test(word))
  const [command, ...rest] = at < 0 ? [] : args.slice(at)
  if (command === undefined) return nothing
  if (command === null || !git_commands.has(command)) return refused("what git would run is not known")
  if (rest.includes(null)) return refused("an option of git could run another program")
  const end = rest.indexOf("--")
  const options = end < 0 ? rest : rest.slice(0, end)
  // Harmless in their commands: untracked files of status, the upstream of push, staged and short forms.
  const harmless = { push: /^-u$/, add: /^-u$/, status: /^-u(no|all|normal)?$/, commit: /^-(i|S)$/ }[command]
  const found = options.some((word) => git_risky.test(word!) && !harmless?.test(word!))
  return found ? refused("an option of git can run another program") : nothing
}

function readAwk(args: Words, name: string): Unwrapped {
  let at = 0
  while (at < args.length) {
    const word = args[at]
    if (word === null || word === undefined) return refused(`what ${name} would run is not known`)
    if (word === "-v" || word === "-F") at += 2
    else if (/^-F/.test(word)) at += 1
    else break
  }
  const program = args[at]
  if (program === undefined) return nothing
  if (program === null || program.startsWith("-") || /system|getline|[|>@]/.test(program)) {
    return refused(`the program for ${name} can run others or write files`)
  }
  return nothing
}

/** One substitution, or one of the commands that only choose lines. */
const sed_line = /^(\d+|\$|\/[^/\\]*\/)?(,(\+?\d+|\$|\/[^/\\]*\/))?!?([pdq=])?$/
const sed_substitution =
  /^(?:\d+|\$)?(?:,(?:\d+|\$))?s([/|#,:])(?:(?!\1)[^\\\n]|\\[^\n])*\1(?:(?!\1)[^\\\n]|\\[^\n])*\1[gpiI\d]*$/

function readSed(args: Words): Unwrapped {
  let scripts = 0
  for (const [index, word] of args.entries()) {
    if (word === null) return refused("what sed would run is not known")
    if (/^-[nErsuz]+$|^--(quiet|silent|regexp-extended|null-data|posix)$/.test(word)) continue
    const given = args[index - 1] === "-e"
    if (word === "-e") continue
    if (word.startsWith("-")) return refused("sed changes files or is given an option that is not understood")
    if (given || (scripts === 0 && !args.includes("-e"))) {
      scripts += 1
      if (!sed_line.test(word) && !sed_substitution.test(word))
        return refused("the script for sed can run programs or write files")
    }
  }
  return nothing
}
