/** Programs that are there to run another one. */
import { inner, launcher, refused, type Unwrapped } from "./reader.ts"
import type { Words } from "./shell.ts"

/** Those whose words say too little, or in too many ways, about what runs, where, or as whom. */
export const unreadable: ReadonlySet<string> = new Set(
  (
    "sudo doas su pkexec runuser chroot unshare nsenter setpriv capsh setarch linux32 linux64 systemd-run " +
    "script scriptreplay watch strace ltrace gdb lldb perf valgrind rr ssh scp sftp rsh telnet socat nc nc.openbsd nc.traditional ncat netcat " +
    "docker podman nerdctl kubectl helm lxc crictl ctr screen tmux byobu at batch crontab expect unbuffer parallel sem entr " +
    "xvfb-run dbus-run-session fakeroot proot bwrap firejail rlwrap start-stop-daemon run-parts runit cpulimit prlimit " +
    "zsh ksh mksh fish csh tcsh nu pwsh powershell vi vim vim.basic vim.tiny vim.nox vim.gtk3 view vimdiff nvim ex ed emacs nano pico less more man most pg mail mailx s-nail mutt tcpdump " +
    "m4 dc sqlite3 psql mysql mariadb mongosh redis-cli gnuplot npx pnpx bunx uvx pipx uv poetry pdm hatch tox nox " +
    "direnv asdf mise nix nix-shell guix hg svn ld.so ld-linux.so.2 ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 " +
    "xdg-open open osascript ip tclsh wish expectk guile ocaml ghci runghc R Rscript julia elixir iex erl escript " +
    "dpkg apt apt-get aptitude dnf yum rpm apk pacman brew snap flatpak make-kpkg debconf logger-exec mount fuse " +
    "command exec eval fc . source cpio zip split csplit install logrotate lftp ftp wget ansible ansible-playbook terraform packer vagrant " +
    "gcc-wrapper distcc ccache sccache scan-build bear coproc pkg-config busctl gio rofi dmenu xterm ssh-agent " +
    "gpg gpg2 gpg-agent ldd hyperfine ifne chronic vipe pee mispipe zrun zless zmore bzless xzless info irb pry ipython " +
    "nmap aria2c gdbserver wine box64 qemu-x86_64 qemu-aarch64 qemu-i386 qemu-x86_64-static qemu-aarch64-static " +
    "ld-musl-x86_64.so.1 ld-musl-aarch64.so.1 run0 sudoedit visudo agetty login newgrp sg choom uclampset eatmydata faketime unshare torsocks proxychains proxychains4"
  ).split(" "),
)

export const launchers: Record<string, (args: Words, name: string) => Unwrapped> = {
  env: launcher({
    flags: ["-i", "--ignore-environment", "-0", "--null"],
    values: ["-u", "--unset"],
    variables: true,
  }),
  nice: launcher({ values: ["-n", "--adjustment"] }),
  nohup: launcher({}),
  time: launcher({ flags: ["-p", "-v", "--portability", "--verbose"] }),
  timeout: launcher({
    flags: ["--preserve-status", "--foreground", "-v", "--verbose"],
    values: ["-s", "--signal", "-k", "--kill-after"],
    own: 1,
  }),
  stdbuf: launcher({ values: ["-i", "-o", "-e", "--input", "--output", "--error"] }),
  setsid: launcher({ flags: ["-c", "-f", "-w", "--ctty", "--fork", "--wait"] }),
  ionice: launcher({ flags: ["-t", "--ignore"], values: ["-c", "-n", "--class", "--classdata"] }),
  chrt: launcher({ flags: ["-b", "-f", "-i", "-o", "-r"], own: 1 }),
  taskset: launcher({ flags: ["-c", "--cpu-list"], own: 1 }),
  flock: launcher({
    flags: ["-s", "-x", "-e", "-n", "--shared", "--exclusive", "--nonblock"],
    values: ["-w", "-E", "--timeout"],
    own: 1,
  }),
  busybox: inner,
  toybox: inner,
  xargs: readXargs,
  find: readFind,
}

/** What it adds comes from its input. */
function readXargs(args: Words, name: string): Unwrapped {
  const read = launcher({
    flags: ["-0", "-r", "-t", "-x", "--null", "--no-run-if-empty", "--verbose", "--exit"],
    values: ["-n", "-P", "-L", "-s", "-d", "-I", "--max-args", "--max-procs", "--max-lines", "--delimiter"],
  })(args, name)
  // -I puts the input anywhere, so that nothing after the program is known.
  const replaces = args.some((word) => word?.startsWith("-I"))
  return {
    ...read,
    commands: read.commands.map(([program, ...rest]) =>
      replaces ? [program!, null] : [program!, ...rest, null],
    ),
  }
}

function readFind(args: Words): Unwrapped {
  if (args.includes(null)) return refused("what find would run is not known")
  const commands: Words[] = []
  // Relative names mean others in the folders that it goes to.
  const elsewhere = args.some((word) => /^-(execdir|okdir)$/.test(word!))
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!
    if (/^-(delete|fprint|fprintf|fprint0|fls|files0-from)$/.test(word)) {
      return refused("find deletes or writes what it finds")
    }
    if (!/^-(exec|execdir|ok|okdir)$/.test(word)) continue
    const end = args.findIndex(
      (one, index) => index > at && (one === ";" || (one === "+" && args[index - 1] === "{}")),
    )
    const words = args.slice(at + 1, end < 0 ? undefined : end)
    if (end < 0 || words.length === 0 || words[0]!.includes("{}"))
      return refused("what find would run is not known")
    // Each of them becomes the name of a file, which may be several words for the program.
    commands.push(words.map((one) => (one!.includes("{}") ? null : one!)))
    at = end
  }
  return elsewhere ? { commands, opaque: "find runs it in other folders" } : { commands }
}
