import { statSync } from "node:fs"
import { compileLoadClient, firstReplyMs, runMs } from "../load/ws-load.ts"
import { type Bench, interleave, median } from "../measure.ts"
import { environmentOf, executables, freePort, gatewayCommand, makeHome, startGateway } from "../servers.ts"

export const version: Bench = {
  name: "version",
  async measure({ quick }) {
    await compileLoadClient()
    const { weft, empty } = executables
    const [ours, theirs] = await interleave(
      quick ? 10 : 50,
      () => runMs([weft, "version"]),
      () => runMs([empty]),
    )
    const [value, reference] = [median(ours), median(theirs)]
    const title = "`weft version`, against an empty executable"
    return [{ name: "version", title, unit: "ms", value, reference, ratio: value / reference }]
  },
}

export const size: Bench = {
  name: "size",
  async measure() {
    const { weft, empty } = executables
    const [value, reference] = [statSync(weft).size / 1e6, statSync(empty).size / 1e6]
    const title = "size of the executable, against an empty one"
    return [{ name: "size", title, unit: "MB", value, reference, ratio: value / reference }]
  },
}

export const firstReply: Bench = {
  name: "first_reply",
  async measure({ quick }) {
    await compileLoadClient()
    using home = makeHome()
    // The first start makes the database and the token; what is measured is every start after it.
    const { token, ...first } = await startGateway(home)
    await first[Symbol.asyncDispose]()
    const env = environmentOf(home)
    const database = `${home.path}/reference.db`
    const ours = (port = freePort()) => firstReplyMs({ port, token }, gatewayCommand(port), env)
    const theirs = (port = freePort()) =>
      firstReplyMs({ port, token }, [executables.smallest, `${port}`, database], env)
    await theirs()
    const [weft, reference] = (await interleave(quick ? 7 : 25, ours, theirs)).map(median) as [number, number]
    const title = "exec to first WebSocket reply, against the smallest Elysia + SQLite program"
    return [{ name: "first_reply", title, unit: "ms", value: weft, reference, ratio: weft / reference }]
  },
}
