import { expect, test } from "bun:test"
import { temporaryFolder } from "../harness.ts"
import { weftInTerminal } from "./weft.ts"

test("a gateway from the sources tells how to call weft, and that is so", async () => {
  await using folder = await temporaryFolder()
  await using terminal = weftInTerminal(["gateway", "--port", "0"], { WEFT_HOME: folder.path })
  const welcome = await terminal.shows(/Ctrl-C stops/)
  const alias = /alias weft='([^']+)'/.exec(welcome)?.[1]
  const ran = Bun.spawnSync(["sh", "-c", `${alias} status`], {
    env: { ...process.env, WEFT_HOME: folder.path },
  })
  expect(ran.stdout.toString()).toMatch(/^gateway +http:\/\/127\.0\.0\.1:\d+$/m)
  terminal.type("\u0003")
  expect(await terminal.exited).toBe(0)
})
