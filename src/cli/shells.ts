/**
 * What the shells need to ask `weft complete`. Our own, since those of @bomb.sh/tab evaluate the line that is being
 * typed (a Tab would run its command substitutions), and for bash need a package that many machines lack.
 */
export const scripts = {
  bash: `_weft() {
  local value
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    [[ $value == :* ]] || COMPREPLY+=("$value")
  done < <(weft complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _weft weft
`,
  zsh: `#compdef weft
_weft() {
  local -a offers
  local value text
  while IFS=$'\\t' read -r value text; do
    [[ $value == :* ]] || offers+=("\${value//:/\\\\:}:$text")
  done < <(weft complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe weft offers
}
if [[ \${funcstack[1]} == _weft ]]; then _weft "$@"; else compdef _weft weft; fi
`,
  fish: `complete -c weft -e
complete -c weft -f -a '(weft complete -- (commandline -opc)[2..-1] "$(commandline -ct)" 2>/dev/null | string match -rv "^:")'
`,
}

export type Shell = keyof typeof scripts
