import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import { defineTool } from "../../src/tools/tool.ts"
import { done, type House, openHouse, text, use } from "../../test/agent/scripted.ts"
import { type Bench, interleave, median } from "../measure.ts"
import { makeHome } from "../servers.ts"

const nothing = (name: string, wait_ms: number) =>
  defineTool({
    ...{ name, description: name, effect: "none", params: Type.Object({}) },
    run: async () => {
      if (wait_ms > 0) await Bun.sleep(wait_ms)
      return "done"
    },
  })

/** Turns over a real store on the disk, with a model that takes no time: what is left is the turn's and the tools'. */
export const tools: Bench = {
  name: "tools",
  async measure({ quick }) {
    using home = makeHome()
    const calls: Record<string, ReturnType<typeof use>[]> = {
      none: [],
      idle: [use("idle")],
      one: [use("slow")],
      three: ["a", "b", "c"].map((id) => use("slow", {}, id)),
    }
    await using house = await openHouse({
      path: join(home.path, "weft.db"),
      folder: home.path,
      config: { tools: ["*"] },
      tools: [nothing("idle", 0), nothing("slow", 100)],
      *script({ messages }) {
        const last = messages.at(-1)!
        const asked = last.role === "user" && last.parts[0]?.type === "text" ? last.parts[0].text : "none"
        const wanted = calls[asked] ?? []
        if (wanted.length > 0) yield* wanted
        else yield text("over")
        yield done(wanted.length > 0 ? "tool_use" : "end")
      },
    })
    await Promise.all(["none", "idle"].map((asked) => rounds(house, asked, 50)))
    const [idle, none] = await interleave(
      quick ? 5 : 40,
      () => rounds(house, "idle", 20),
      () => rounds(house, "none", 20),
    )
    const [three, one] = await interleave(
      quick ? 3 : 10,
      () => rounds(house, "three", 1),
      () => rounds(house, "one", 1),
    )
    const [with_tool, without] = [median(idle.flat()), median(none.flat())]
    const [all, single] = [median(three.flat()), median(one.flat())]
    return [
      {
        name: "tool_overhead",
        title: "a tool that does nothing, added to a durable turn; the commit of its round included",
        unit: "ms",
        value: with_tool - without,
        note: `${with_tool.toFixed(2)} ms with it, ${without.toFixed(2)} ms without`,
      },
      {
        name: "tools_together",
        title: "three tools of 100 ms in one answer, against one",
        unit: "ms",
        value: all,
        reference: single,
        ratio: all / single,
      },
    ]
  },
}

async function rounds(house: House, asked: string, count: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    await house.say(asked, {}, `${asked}-${i}`).outcome
    times.push(performance.now() - started)
  }
  return times
}
