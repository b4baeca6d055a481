import { expect, test } from "bun:test"
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { needs } from "../needs.ts"
import { fakeBun, makeCheckout } from "./checkout.ts"

const pinned = "1.4.5"
const binary = (version = pinned) => `cat >bun.new <<'END'\n#!/bin/sh\n${fakeBun(version)}\nEND\n`
/** npm as far as the scripts need it: it puts the platform's package into the folder it stands in. */
const npm = `echo "$@" >>"$0.log"
${binary()}
mkdir -p node_modules/@oven/bun-linux-x64/bin
mv bun.new node_modules/@oven/bun-linux-x64/bin/bun
/bin/chmod +x node_modules/@oven/bun-linux-x64/bin/bun`

test("with neither bun, npm nor curl, it says which to install", () => {
  using checkout = makeCheckout()
  const { status, error } = checkout.run([checkout.at("co/scripts/start")])
  expect(status).toBe(1)
  expect(error).toStartWith(
    `error: Bun ${pinned} is needed, and neither bun, npm nor curl is on PATH. Install any one of them`,
  )
})

test("Bun is fetched once with npm, and never again", () => {
  using checkout = makeCheckout()
  checkout.program("npm", npm)
  expect(checkout.run([checkout.at("co/scripts/start")])).toMatchObject({ status: 0 })
  expect(readFileSync(checkout.at("bin/npm.log"), "utf8")).toContain(`bun@${pinned}`)
  checkout.remove("bin/npm")
  expect(checkout.run([checkout.at("co/scripts/start")])).toMatchObject({ status: 0, error: "" })
  expect(readFileSync(checkout.at("co/.bun/bun.log"), "utf8")).toBe("install\n")
})

test("an installed Bun of the very version is used as it is", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun(pinned))
  expect(checkout.run([checkout.at("co/scripts/start")])).toMatchObject({ status: 0 })
  expect(existsSync(checkout.at("co/.bun"))).toBe(false)
})

test("an installed Bun of another version is not used", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun("1.4.4"))
  checkout.program("npm", npm)
  expect(checkout.run([checkout.at("co/scripts/start")])).toMatchObject({ status: 0 })
  expect(existsSync(checkout.at("bin/bun.log"))).toBe(false)
})

test("where npm fails, Bun's installer fetches the pinned version, with no HOME of the user to edit", () => {
  using checkout = makeCheckout()
  checkout.program("npm", "exit 1")
  checkout.program("unzip", "exit 0")
  checkout.program("chmod", 'exec /bin/chmod "$@"')
  symlinkSync(Bun.which("bash") ?? "bash", checkout.at("bin/bash"))
  const installer = `echo "$1 $HOME" >"${checkout.at("installer.log")}"
mkdir -p "$BUN_INSTALL/bin"; cd "$BUN_INSTALL/bin"
${binary()}
mv bun.new bun; chmod +x bun`
  writeFileSync(checkout.at("installer"), installer)
  checkout.program("curl", `for last; do :; done; cat "${checkout.at("installer")}" >"$last"`)
  const ran = checkout.run([checkout.at("co/scripts/start")], { env: { HOME: checkout.at("home") } })
  expect(ran).toMatchObject({ status: 0 })
  const log = readFileSync(checkout.at("installer.log"), "utf8")
  expect(log).toStartWith(`bun-v${pinned} ${checkout.at("co/.bun/fetch.")}`)
  expect(existsSync(checkout.at("home"))).toBe(false)
})

test("where npm fails and there is no curl, it says so and leaves nothing half done", () => {
  using checkout = makeCheckout()
  checkout.program("npm", "echo no network >&2; exit 1")
  const { status, error } = checkout.run([checkout.at("co/scripts/start")])
  expect(status).toBe(1)
  expect(error).toContain("no network")
  expect(error).toContain(`error: npm could not fetch Bun ${pinned}`)
  expect(checkout.run(["/bin/ls", "-A", checkout.at("co/.bun")]).out).toBe("")
})

test("dependencies are installed again only when what is locked changes", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun(pinned))
  const start = () => checkout.run([checkout.at("co/scripts/start")]).status
  expect([start(), start()]).toEqual([0, 0])
  checkout.write("co/bun.lock", '{"changed": true}')
  expect([start(), start()]).toEqual([0, 0])
  expect(readFileSync(checkout.at("bin/bun.log"), "utf8")).toBe("install\ninstall\n")
})

test("the native files are made when their sources or the compiler change, and not otherwise", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun(pinned))
  checkout.write("co/native/kernel.h", "1")
  checkout.write("co/native/kernel.c", "1")
  checkout.write("co/native/build/kernel.so", "")
  const makes = () => checkout.run([checkout.at("co/scripts/start")]).error.includes("scripts/native.ts")
  expect([makes(), makes()]).toEqual([true, false])
  checkout.write("co/native/kernel.c", "2")
  expect([makes(), makes()]).toEqual([true, false])
  checkout.program("gcc", "exit 1")
  expect([makes(), makes()]).toEqual([true, false])
})

needs({ root: true, command: "setpriv" })("native files that cannot be written are done without", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun(pinned))
  expect(checkout.run([checkout.at("co/scripts/start")])).toMatchObject({ status: 0 })
  checkout.write("co/native/kernel.h", "1")
  checkout.write("co/native/kernel.c", "1")
  checkout.run(["/bin/chmod", "-R", "a+rX", checkout.at(".")])
  const nobody = [Bun.which("setpriv") ?? "", "--reuid=65534", "--regid=65534", "--clear-groups"]
  const ran = checkout.run([...nobody, checkout.at("co/scripts/start")])
  expect(ran).toMatchObject({ status: 0, error: "" })
})

test("a checkout without its lock file is refused", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun(pinned))
  checkout.remove("co/bun.lock")
  const { status, error } = checkout.run([checkout.at("co/scripts/start")])
  expect(status).toBe(1)
  expect(error).toBe(`error: ${checkout.at("co/bun.lock")} is missing: the checkout is not complete.\n`)
})

test("called through a symlink from another folder, it keeps that folder and the arguments", () => {
  using checkout = makeCheckout()
  checkout.program("bun", fakeBun(pinned))
  checkout.write("elsewhere/file", "")
  symlinkSync("../co/scripts/start", checkout.at("elsewhere/go"))
  const { out } = checkout.run(["./go", "--home", "a b"], { cwd: checkout.at("elsewhere") })
  const [words, cwd] = out.split("\n")
  expect(words).toEndWith(`<${checkout.at("co/src/main.ts")}><gateway><--home><a b>`)
  expect(cwd).toBe(checkout.at("elsewhere"))
})

needs({ root: true, command: "setpriv" })("somebody else's checkout that is not set up is explained", () => {
  using checkout = makeCheckout()
  checkout.program("npm", npm)
  // Whatever umask this process got from other tests, a clone would be readable.
  checkout.run(["/bin/chmod", "-R", "a+rX", checkout.at(".")])
  const nobody = [Bun.which("setpriv") ?? "", "--reuid=65534", "--regid=65534", "--clear-groups"]
  const start = () => checkout.run([...nobody, checkout.at("co/scripts/start")])
  expect(start()).toMatchObject({ status: 1, error: expect.stringContaining("cannot be written by nobody") })
  expect(checkout.run([checkout.at("co/scripts/start")])).toMatchObject({ status: 0 })
  checkout.run(["/bin/chmod", "-R", "a+rX", checkout.at(".")])
  expect(start()).toMatchObject({ status: 0, error: "" })
})
