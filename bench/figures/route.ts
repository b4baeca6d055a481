import { measure } from "mitata"
import { type Bench, quantile } from "../measure.ts"
import { routeCase } from "../route-case.ts"

export const route: Bench = {
  name: "route",
  async measure() {
    const { openRouter } = await import("../../src/gateway/bindings.ts")
    const times: number[] = []
    for (const count of [100, 1000, 10_000]) {
      const { bindings, messages } = routeCase(count)
      const find = openRouter(bindings, "default")
      let i = 0
      const stats = await measure(() => find(messages[i++ & (messages.length - 1)]!))
      times.push(stats.p50 / 1000)
    }
    const [least, most] = [quantile(times, 0), quantile(times, 1)]
    const note = `${times.map((us) => us.toFixed(2)).join(", ")} µs with 100, 1,000, 10,000 bindings`
    return [
      { name: "route", title: "route lookup, slowest of the three", unit: "µs", value: most, note },
      {
        name: "route_flat",
        title: "route lookup, slowest against fastest",
        unit: "µs",
        value: most,
        reference: least,
        ratio: most / least,
      },
    ]
  },
}
