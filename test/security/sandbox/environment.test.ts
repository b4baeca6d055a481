import { expect, test } from "bun:test"
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import {
  cleanEnvironment,
  cleanPath,
  findProgram,
  isWithin,
} from "../../../src/security/sandbox/environment.ts"
import { temporaryFolder } from "../../harness.ts"

const places = { home: "/work", tmp: "/tmp/call", path: "/usr/bin:/bin" }
const least = {
  PATH: "/usr/bin:/bin",
  HOME: "/work",
  TMPDIR: "/tmp/call",
  TERM: "dumb",
  LANG: "C.UTF-8",
  SHELL: "/bin/sh",
}

const dropped = [
  ...[
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "WEFT_TOKEN",
    "PASSWORD",
  ],
  ...[
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "PS4",
  ],
  ...[
    "BASH_FUNC_ls%%",
    "IFS",
    "CDPATH",
    "PROMPT_COMMAND",
    "NODE_OPTIONS",
    "NODE_PATH",
    "BUN_OPTIONS",
    "BUN_INSTALL",
  ],
  ...["PYTHONPATH", "PYTHONSTARTUP", "PERL5OPT", "PERL5LIB", "RUBYOPT", "JAVA_TOOL_OPTIONS", "RUSTC_WRAPPER"],
  ...["GIT_SSH_COMMAND", "GIT_DIR", "GIT_CONFIG_GLOBAL", "MAKEFLAGS", "HGRCPATH", "npm_config_script_shell"],
  ...[
    "HTTP_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "NO_PROXY",
    "SSH_AUTH_SOCK",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
  ],
  ...[
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "HOME",
    "TMPDIR",
    "PATH",
    "SHELL",
    "TERM",
    "EDITOR",
    "PAGER",
    "LESSOPEN",
  ],
]
test.each(dropped)("%s does not reach a program as the gateway has it", (name) => {
  expect(cleanEnvironment({ [name]: "x" }, places)).toEqual(least)
})

test.each(["TZ", "LANG", "LC_ALL", "LC_TIME", "LANGUAGE", "USER", "LOGNAME", "COLUMNS", "LINES"])(
  "%s is passed on",
  (name) => {
    expect(cleanEnvironment({ [name]: "x" }, places)).toEqual({ ...least, [name]: "x" })
  },
)

test.each([["\u001b]0;x\u0007"], ["a\nb"], ["x".repeat(257)], ["\0"], ["\u009b31m"]])(
  "%j is no value that is passed on",
  (value) => {
    expect(cleanEnvironment({ TZ: value, USER: value }, places)).toEqual(least)
  },
)

test("whatever the environment is, a program sees nothing but the list", () => {
  const names = new Set([...Object.keys(least), "LANGUAGE", "TZ", "USER", "LOGNAME", "COLUMNS", "LINES"])
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (env) => {
      const clean = cleanEnvironment(env, places)
      expect(Object.keys(clean).filter((name) => !names.has(name) && !/^LC_[A-Z]+$/.test(name))).toEqual([])
      expect({ ...clean, LANG: least.LANG }).toMatchObject(least)
    }),
  )
})

/** Folders with a program in each of them. */
async function openFolders() {
  const folder = await temporaryFolder()
  const at = (...names: string[]) => join(folder.path, ...names)
  for (const name of ["bin", "other", "open", "work/bin", "work/sub"]) {
    mkdirSync(at(name), { recursive: true })
    writeFileSync(at(name, "tool"), "#!/bin/sh\n", { mode: 0o755 })
    writeFileSync(at(name, "text"), "x", { mode: 0o644 })
  }
  chmodSync(at("open"), 0o777)
  symlinkSync(at("work/bin"), at("linked"))
  return { at, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

test("programs are looked for in folders that only their owner can fill", async () => {
  await using folders = await openFolders()
  const { at } = folders
  const path = [
    ".",
    "",
    "bin",
    at("open"),
    at("work/bin"),
    at("linked"),
    at("nothing"),
    at("bin", "tool"),
    at("bin/"),
    at("other"),
    at("bin"),
  ]
  const found = cleanPath({ PATH: path.join(":") }, at("work"))
  expect(found.slice(0, 2)).toEqual([at("bin"), at("other")])
  expect(found.slice(2)).toEqual(cleanPath({}, at("work")))
  expect(cleanPath({}, at("work"))).toContain("/usr/bin")
})

test("a bare name is looked for in PATH and never in the workspace", async () => {
  await using folders = await openFolders()
  const { at } = folders
  const find = (name: string, ...path: string[]) => findProgram(name, { PATH: path.join(":") }, at("work"))
  expect(find("tool", at("other"), at("bin"))).toBe(at("other", "tool"))
  expect(find("tool", at("work/bin"), at("linked"), at("open"), ".", at("bin"))).toBe(at("bin", "tool"))
  expect(find("tool", at("work/bin"), at("open"))).toBeUndefined()
  expect(find("text", at("bin"))).toBeUndefined()
  expect(find("no-such-program", at("bin"))).toBeUndefined()
  expect(find("", at("bin"))).toBeUndefined()
  expect(find("tool\0", at("bin"))).toBeUndefined()
  expect(find("sh")).toMatch(/^\/(usr\/)?bin\/sh$/)
})

test("a name with a slash is taken from the workspace, or as it is where it is absolute", async () => {
  await using folders = await openFolders()
  const { at } = folders
  const find = (name: string) => findProgram(name, { PATH: at("bin") }, at("work"))
  expect(find("./bin/tool")).toBe(at("work/bin/tool"))
  expect(find("sub/tool")).toBe(at("work/sub/tool"))
  expect(find("../other/tool")).toBe(at("other/tool"))
  expect(find(at("other", "tool"))).toBe(at("other", "tool"))
  for (const name of ["./tool", "./bin/text", "./bin", at("nothing"), "./bin/tool/x"])
    expect(find(name)).toBeUndefined()
})

test.each([
  ["/a", "/a", true],
  ["/a/b", "/a", true],
  ["/ab", "/a", false],
  ["/a", "/a/b", false],
  ["/a", "/", true],
  ["/a/b", "/a/", true],
])("%s in %s: %p", (path, folder, expected) => {
  expect(isWithin(path, folder)).toBe(expected)
})
