/**
 * Tries to get out of the sandbox it runs in, one way after the other, and prints as JSON what came of each: the name of
 * an errno, or "done". Nothing here harms a machine on which it succeeds.
 */
import { dlopen, ptr, read } from "bun:ffi"
import { strict as assert } from "node:assert"
import { readdirSync, readlinkSync } from "node:fs"
import { constants } from "node:os"

/** What lies outside; every path and process of it belongs to whoever runs the sandbox. */
export type Outside = {
  folder: string
  home: string
  /** Whoever opened the sandbox, and somebody else's process. */
  gateway: number
  victim: number
  tcp: number
  udp: number
  socket: string
  abstract: string
}

const numbers = {
  x64: {
    ...{ open: 2, socket: 41, connect: 42, sendto: 44, kill: 62, ptrace: 101, setuid: 105, setgid: 106 },
    ...{
      personality: 135,
      pivot_root: 155,
      chroot: 161,
      mount: 165,
      umount2: 166,
      setxattr: 188,
      tkill: 200,
    },
    ...{ syslog: 103, mkdirat: 258, mknodat: 259, fchownat: 260, unlinkat: 263, renameat: 264, linkat: 265 },
    ...{ symlinkat: 266, fchmodat: 268, unshare: 272, utimensat: 280, prlimit64: 302, setns: 308 },
    ...{ process_vm_readv: 310, bpf: 321, userfaultfd: 323, perf_event_open: 298, truncate: 76, ioctl: 16 },
    ...{
      openat: 257,
      clone: 56,
      rt_sigqueueinfo: 129,
      keyctl: 250,
      memfd_create: 319,
      setgroups: 116,
      socketpair: 53,
    },
  },
  arm64: {
    ...{
      openat: 56,
      socket: 198,
      connect: 203,
      sendto: 206,
      kill: 129,
      ptrace: 117,
      setuid: 146,
      setgid: 144,
    },
    ...{ personality: 92, pivot_root: 41, chroot: 51, mount: 40, umount2: 39, setxattr: 5, tkill: 130 },
    ...{ syslog: 116, mkdirat: 34, mknodat: 33, fchownat: 54, unlinkat: 35, renameat: 38, linkat: 37 },
    ...{ symlinkat: 36, fchmodat: 53, unshare: 97, utimensat: 88, prlimit64: 261, setns: 268 },
    ...{ process_vm_readv: 270, bpf: 280, userfaultfd: 282, perf_event_open: 241, truncate: 45, ioctl: 29 },
    ...{ clone: 220, rt_sigqueueinfo: 138, keyctl: 219, memfd_create: 279, setgroups: 159, socketpair: 199 },
  },
}
/** Of Linux 5.1 and later, where all machines have the same. */
const newer = {
  pidfd_send_signal: 424,
  io_uring_setup: 425,
  open_tree: 428,
  clone3: 435,
  pidfd_open: 434,
  mount_setattr: 442,
}

const calls: Record<string, number> = { ...numbers[process.arch as "x64" | "arm64"], ...newer }
const words = ["i64", "i64", "i64", "i64", "i64", "i64", "i64"] as const
const libc = dlopen("libc.so.6", {
  syscall: { args: [...words], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
}).symbols

/** Kept for as long as the process lives, as pointers into it are handed out. */
const kept: Uint8Array[] = []

function pointer(bytes: Uint8Array | string): number {
  const buffer = typeof bytes === "string" ? Buffer.from(`${bytes}\0`) : bytes
  kept.push(buffer)
  return Number(ptr(buffer))
}

function call(name: string, ...args: (number | string | Uint8Array)[]): number {
  const list = args.map((arg) => (typeof arg === "number" ? arg : pointer(arg)))
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = list
  const got = Number(libc.syscall(calls[name]!, a, b, c, d, e, f))
  if (got !== -1) return got
  const number = read.i32(libc.__errno_location()!, 0)
  const found = Object.entries(constants.errno).find(([, value]) => value === number)
  throw new Error(found?.[0] ?? `errno ${number}`)
}

const at_cwd = -100
const [rdonly, wronly, creat, append, path_only] = [0, 1, 0o100, 0o2000, 0o10000000]
const open = (path: string, flags: number, mode = 0o644) => call("openat", at_cwd, path, flags, mode)

const outside: Outside = JSON.parse(process.argv[2]!)
const { folder, home, gateway, victim } = outside
const secret = `${folder}/secret`

const files: Record<string, () => unknown> = {
  "read a secret": () => open(secret, rdonly),
  "read the system's passwords": () => open("/etc/shadow", rdonly),
  "read the gateway's configuration": () => open(`${home}/config.toml`, rdonly),
  "read the gateway's environment": () => open(`/proc/${gateway}/environ`, rdonly),
  "read the gateway's memory": () => open(`/proc/${gateway}/mem`, rdonly),
  "see what the gateway has opened": () => readlinkSync(`/proc/${gateway}/fd/1`),
  "open a descriptor of the gateway's": () => open(`/proc/${gateway}/fd/1`, wronly),
  "go by the gateway's folder": () => open(`/proc/${gateway}/cwd/package.json`, rdonly),
  "go by the gateway's root": () => open(`/proc/${gateway}/root${secret}`, rdonly),
  "go by the first process's root": () => open(`/proc/1/root${secret}`, rdonly),
  "read by a way of dots": () => open(`..${"/..".repeat(40)}${secret}`, rdonly),
  "list a folder": () => open(folder, rdonly),
  "find the gateway's files": () =>
    assert(readdirSync(home).includes("config.toml"), "only what leads to the workspace"),
  "write a secret": () => open(secret, wronly),
  "append to a secret": () => open(secret, wronly | append),
  "cut a secret": () => call("truncate", secret, 0),
  "make a file": () => open(`${folder}/made`, wronly | creat),
  "make a file in the gateway's home": () => open(`${home}/made`, wronly | creat),
  "make a file among the system's": () => open("/usr/bin/weft-probe", wronly | creat),
  "make a folder": () => call("mkdirat", at_cwd, `${folder}/made`, 0o755),
  "make a pipe": () => call("mknodat", at_cwd, `${folder}/made`, 0o10644, 0),
  "make a device in the workspace": () => call("mknodat", at_cwd, "device", 0o20666, 0x101),
  "remove a secret": () => call("unlinkat", at_cwd, secret, 0),
  "take a secret away": () => call("renameat", at_cwd, secret, at_cwd, "taken"),
  "put a file there": () => call("renameat", at_cwd, "mine", at_cwd, `${folder}/made`),
  "link a secret": () => call("linkat", at_cwd, secret, at_cwd, "linked", 0),
  "link a file there": () => call("linkat", at_cwd, "mine", at_cwd, `${folder}/made`, 0),
  "make a link there": () => call("symlinkat", "mine", at_cwd, `${folder}/made`),
  "read by a link": () => {
    call("symlinkat", secret, at_cwd, "by-link")
    return open("by-link", rdonly)
  },
  "write by a link to a folder": () => {
    call("symlinkat", folder, at_cwd, "by-folder")
    return open("by-folder/made", wronly | creat)
  },
  "read what replaced a folder": () => {
    call("mkdirat", at_cwd, "swapped", 0o755)
    call("renameat", at_cwd, "swapped", at_cwd, "swapped-away")
    call("symlinkat", folder, at_cwd, "swapped")
    return open("swapped/secret", rdonly)
  },
  "change a mode": () => call("fchmodat", at_cwd, secret, 0o777),
  "change a mode by a descriptor": () =>
    call("fchmodat", at_cwd, `/proc/self/fd/${open(secret, path_only)}`, 0o777),
  "change the mode of a program": () => call("fchmodat", at_cwd, "/usr/bin/true", 0o755),
  "change a mode by a link": () => {
    call("symlinkat", secret, at_cwd, "to-change")
    return call("fchmodat", at_cwd, "to-change", 0o777)
  },
  "change a mode by a way of dots": () => call("fchmodat", at_cwd, `..${"/..".repeat(40)}${secret}`, 0o777),
  "change the mode of the workspace's parent": () => call("fchmodat", at_cwd, "..", 0o777),
  "change the mode of a device": () => call("fchmodat", at_cwd, "/dev/null", 0o666),
  "change the mode of its input": () => call("fchmodat", at_cwd, "/proc/self/fd/0", 0o666),
  "make a program of its owner's": () => call("fchmodat", at_cwd, "mine", 0o4755),
  "open a new program of its owner's": () => open("owner's", wronly | creat, 0o4755),
  "make a node of a program of its owner's": () => call("mknodat", at_cwd, "owner's", 0o104755, 0),
  "open in the new way": () => call("openat2", at_cwd, "mine", new Uint8Array(24), 24),
  "change an owner": () => call("fchownat", at_cwd, secret, -1, -1, 0),
  "set an attribute": () => call("setxattr", secret, "user.weft", "x", 1, 0),
  "change a time": () => call("utimensat", at_cwd, secret, 0, 0),
  "write a setting of the kernel": () => open("/proc/sys/kernel/core_pattern", wronly),
  "write a setting of the host": () => open("/proc/sys/kernel/hostname", wronly),
  "write to the kernel's log": () => open("/dev/kmsg", wronly),
}

const namespaces = 0x10000000
const processes: Record<string, () => unknown> = {
  "become somebody else": () => call("setuid", process.getuid?.() === 0 ? 1 : 0),
  "become another group": () => call("setgid", process.getgid?.() === 0 ? 1 : 0),
  "join groups": () => call("setgroups", 0, 0),
  "be root of a namespace": () => call("unshare", namespaces),
  "be root of a namespace with a single thread": () => {
    const { exitCode, stderr } = Bun.spawnSync(["/usr/bin/unshare", "-U", "/bin/true"])
    assert.equal(exitCode, 0, `${stderr}`)
  },
  "leave the network": () => call("unshare", 0x40000000),
  "clone into a namespace": () => endChild(call("clone", namespaces | 17, 0, 0, 0, 0)),
  "clone in the new way": () => call("clone3", new Uint8Array(88), 88),
  "enter the gateway's namespaces": () => call("setns", call("pidfd_open", gateway, 0), 0x20000000),
  mount: () => call("mount", "none", ".", "tmpfs", 0, 0),
  "mount over": () => call("mount", "/usr", ".", "", 4096, 0),
  "mount in the new way": () => call("open_tree", at_cwd, ".", 1),
  "change a mount": () => call("mount_setattr", at_cwd, "/", 0, new Uint8Array(32), 32),
  unmount: () => call("umount2", "/usr", 2),
  "change the root": () => call("chroot", "."),
  "pivot the root": () => call("pivot_root", ".", "."),
  "trace the gateway": () => call("ptrace", 0x4206, gateway, 0, 0),
  "trace a process": () => call("ptrace", 0x4206, victim, 0, 0),
  "read a process": () => call("process_vm_readv", victim, 0, 0, 0, 0, 0),
  "signal the gateway": () => call("kill", gateway, 10),
  "signal the gateway's group": () => call("kill", -gateway, 10),
  "signal a process": () => call("kill", victim, 10),
  "signal a thread": () => call("tkill", victim, 10),
  "signal an opened process": () => call("pidfd_send_signal", call("pidfd_open", victim, 0), 10, 0, 0),
  "have a process be told of input": () => {
    const [ends, owner, set_owner] = [new Int32Array(2), new Int32Array([victim]), 0x8901]
    call("socketpair", unix, stream, 0, new Uint8Array(ends.buffer))
    return call("ioctl", ends[0]!, set_owner, new Uint8Array(owner.buffer))
  },
  "signal a process by its folder": () =>
    call("pidfd_send_signal", open(`/proc/${victim}`, rdonly), 10, 0, 0),
  "limit a process": () => call("prlimit64", victim, 7, 0, new Uint8Array(16)),
  "raise a limit": () => {
    const more = new BigUint64Array([1n << 20n, 1n << 20n])
    return call("prlimit64", 0, 7, new Uint8Array(more.buffer), 0)
  },
  "load a program into the kernel": () => call("bpf", 0, new Uint8Array(128), 128),
  "count the machine's events": () => call("perf_event_open", new Uint8Array(128), -1, 0, -1, 0),
  "make a ring": () => call("io_uring_setup", 1, new Uint8Array(128)),
  "take page faults": () => call("userfaultfd", 0),
  "read the kernel's log": () => call("syslog", 10, 0, 0),
  "use the keys": () => call("keyctl", 0, -3, 0),
  "use memory that is not counted": () => call("memfd_create", "x", 0),
  "have another personality": () => call("personality", 0x40000),
  "type on a terminal": () => call("ioctl", 0, 0x5412, "x"),
}

/** Where a clone succeeds, both go on here. */
function endChild(pid: number): number {
  if (pid === 0) process.exit(0)
  return pid
}

const [unix, inet, inet6, netlink, packet, vsock] = [1, 2, 10, 16, 17, 40]
const [stream, datagram, raw] = [1, 2, 3]

function internet(port: number): Uint8Array {
  return new Uint8Array([inet, 0, port >> 8, port & 255, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
}

const unixAddress = (path: string) => Buffer.concat([Buffer.from([unix, 0]), Buffer.from(path)])

function connectTo(family: number, address: Uint8Array): number {
  return call("connect", call("socket", family, stream, 0), address, address.length)
}

const network: Record<string, () => unknown> = {
  "connect to a port": () => connectTo(inet, internet(outside.tcp)),
  "send a datagram": () =>
    call("sendto", call("socket", inet, datagram, 0), "x", 1, 0, internet(outside.udp), 16),
  "connect to a socket by its path": () => connectTo(unix, unixAddress(outside.socket)),
  "connect to an abstract socket": () => connectTo(unix, unixAddress(`\0${outside.abstract}`)),
  "open a socket of IPv6": () => call("socket", inet6, stream, 0),
  "open a netlink socket": () => call("socket", netlink, raw, 0),
  "open a raw socket": () => call("socket", inet, raw, 1),
  "open a packet socket": () => call("socket", packet, raw, 0),
  "open a socket to the hypervisor": () => call("socket", vsock, stream, 0),
}

await Bun.write("mine", "mine")
const found: Record<string, string> = {}
for (const [name, attempt] of Object.entries({ ...files, ...processes, ...network })) {
  try {
    attempt()
    found[name] = "done"
  } catch (thrown) {
    found[name] = (thrown as Error).message
  }
}
const status = await Bun.file("/proc/self/status").text()
const privileges = Object.fromEntries(
  ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"].map((name) => [
    name,
    status.match(new RegExp(`^${name}:\\s*(\\S+)`, "m"))?.[1] ?? "",
  ]),
)
console.log(JSON.stringify({ found, privileges }))
