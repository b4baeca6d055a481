# Sourced by the other scripts with `script` set to their own path: sets `root` and `bun`, with the locked
# dependencies installed. POSIX sh; writes nothing outside the checkout; needs no network once it has run.

bun_version=1.4.5

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

root=$(cd -P "$(dirname "$script")/.." && pwd) || fail "cannot find the checkout from $script"

# A private cache, so that a read-only or missing HOME is no matter.
BUN_INSTALL_CACHE_DIR=$root/.bun/cache
export BUN_INSTALL_CACHE_DIR

is_pinned_bun() { [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "$bun_version" ]; }

# Whatever package the fetcher chose for this machine, the binary that runs and has the version is the one.
keep_bun_from() {
  for found in "$1"/node_modules/@oven/*/bin/bun "$1"/node_modules/bun/bin/bun* "$1"/bin/bun; do
    if is_pinned_bun "$found"; then
      mv -f "$found" "$root/.bun/bun"
      return 0
    fi
  done
  return 1
}

# Install scripts stay off: the binary is in a package of its own and needs none.
fetch_with_npm() {
  say "Fetching Bun $bun_version with npm …"
  printf '{"private":true}\n' >"$1/package.json"
  (cd "$1" && npm_config_cache=$1/cache npm install --ignore-scripts --include=optional \
    --no-package-lock --no-audit --no-fund --no-update-notifier --loglevel=error "bun@$bun_version" >&2) &&
    keep_bun_from "$1"
}

# The installer edits the shell's start files in HOME and chooses them by SHELL, so it is given neither.
fetch_with_installer() {
  say "Fetching Bun $bun_version with its installer …"
  curl -fsSL --retry 2 https://bun.sh/install -o "$1/install" &&
    HOME=$1 SHELL=sh BUN_INSTALL=$1 bash "$1/install" "bun-v$bun_version" >&2 &&
    keep_bun_from "$1"
}

fetch_bun() {
  mkdir -p "$root/.bun" 2>/dev/null && [ -w "$root/.bun" ] ||
    fail "Bun $bun_version is missing and $root/.bun cannot be written by $(id -un 2>/dev/null || echo you)." \
      "Run the script once as the owner of the checkout, or clone it anew."
  npm=$(command -v npm) || npm=
  curl=$(command -v curl) || curl=
  [ -n "$npm$curl" ] ||
    fail "Bun $bun_version is needed, and neither bun, npm nor curl is on PATH. Install any one of them:" \
      "https://bun.sh, https://nodejs.org or your system's package of curl."
  fetched=$root/.bun/fetch.$$
  trap 'rm -rf "$fetched"' EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$fetched"
  if [ -n "$npm" ] && fetch_with_npm "$fetched"; then
    :
  elif [ -z "$curl" ]; then
    fail "npm could not fetch Bun $bun_version for this machine (above is why), and there is no curl to try instead."
  elif ! command -v bash >/dev/null || ! command -v unzip >/dev/null; then
    fail "Bun's installer needs bash and unzip. Install them, or npm, or Bun $bun_version itself (https://bun.sh)."
  elif ! fetch_with_installer "$fetched"; then
    fail "Bun $bun_version could not be fetched (above is why). Is the network there? Does a proxy need setting?"
  fi
  rm -rf "$fetched"
  trap - EXIT INT TERM HUP
}

find_bun() {
  bun=$root/.bun/bun
  if is_pinned_bun "$bun"; then return; fi
  bun=$(command -v bun) || bun=
  if [ -n "$bun" ] && is_pinned_bun "$bun"; then return; fi
  fetch_bun
  bun=$root/.bun/bun
  is_pinned_bun "$bun" || fail "the Bun that was fetched into $root/.bun does not run on this machine."
}

# Bun takes a missing lock file in silence, and would then install whatever is newest.
install_dependencies() {
  [ -f "$root/bun.lock" ] || fail "$root/bun.lock is missing: the checkout is not complete."
  wanted="$bun_version $(uname -sm) $(cat "$root/package.json" "$root/bun.lock" | cksum)"
  stamp=$root/node_modules/.installed
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then return; fi
  if [ -e "$root/node_modules" ]; then writable=$root/node_modules; else writable=$root; fi
  [ -w "$writable" ] ||
    fail "dependencies must be installed and $writable cannot be written by $(id -un 2>/dev/null || echo you)." \
      "Run the script once as the owner of the checkout."
  say "Installing the locked dependencies …"
  (cd "$root" && "$bun" install --frozen-lockfile --no-progress >&2) ||
    fail "the dependencies could not be installed (above is why)."
  printf '%s\n' "$wanted" >"$stamp"
}

# An accelerator: without a C compiler, or where nothing can be written, everything goes on without it.
build_native() {
  [ -d "$root/native" ] || return 0
  compiler=$(command -v "${CC:-cc}" || command -v gcc || command -v clang) || compiler=none
  wanted="$compiler $(uname -sm) $(cat "$root"/native/*.* "$root/scripts/native.ts" | cksum)"
  built=$root/native/build/.built
  if [ -f "$built" ] && [ "$(cat "$built")" = "$wanted" ]; then return 0; fi
  if [ -e "$root/native/build" ]; then writable=$root/native/build; else writable=$root/native; fi
  [ -w "$writable" ] || return 0
  "$bun" --no-env-file "$root/scripts/native.ts" >&2 || return 0
  printf '%s\n' "$wanted" >"$built" || return 0
}

find_bun
install_dependencies
build_native
