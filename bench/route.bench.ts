import { bench, run, summary } from "mitata"
import { openRouter } from "../src/gateway/bindings.ts"
import { routeCase } from "./route-case.ts"

// One lookup a call, over more peers than bindings, so that the next key is never the last one.
summary(() => {
  for (const count of [100, 1000, 10_000]) {
    const { bindings, messages } = routeCase(count)
    const route = openRouter(bindings, "default")
    let i = 0
    bench(`route, ${count} bindings`, () => route(messages[i++ & (messages.length - 1)]!))
  }
})
await run()
