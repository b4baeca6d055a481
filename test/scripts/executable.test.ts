import { expect, test } from "bun:test"
import { buildExecutable } from "../../scripts/executable.ts"
import { makeCheckout } from "./checkout.ts"

test("an executable is one file that nothing in the folder it starts in can configure", async () => {
  using checkout = makeCheckout()
  checkout.write("app/main.ts", "console.log(process.env.NODE_ENV, process.env.HOSTILE, globalThis.hostile)")
  const bytes = await buildExecutable(checkout.at("app/main.ts"), checkout.at("out/app"))
  expect(bytes).toBe(Bun.file(checkout.at("out/app")).size)
  expect(checkout.run(["/bin/ls", "-A", checkout.at("out")]).out).toBe("app\n")

  checkout.write("hostile/.env", "HOSTILE=yes")
  checkout.write("hostile/bunfig.toml", 'preload = ["./evil.ts"]')
  checkout.write("hostile/evil.ts", "globalThis.hostile = true")
  checkout.write("hostile/package.json", '{"main": "./evil.ts"}')
  const ran = checkout.run([checkout.at("out/app")], { cwd: checkout.at("hostile") })
  expect(ran).toMatchObject({ status: 0, out: "production undefined undefined\n" })
})
