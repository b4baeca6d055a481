import { expect, test } from "bun:test"
import { type Asked, type Said, startGateway, startModel } from "../harness.ts"
import { ask } from "./client.ts"

test("what an agent looked up to forget it is forgotten where it looked, too", async () => {
  const secret = "Zanzibarquelle"
  await using model = startModel(function* ({ messages }: Asked): Generator<Said> {
    const last = messages.at(-1)!
    const text = JSON.stringify(last.content)
    if (last.role !== "tool") {
      yield text.includes("FORGET")
        ? { tool: "memory_search", input: { query: "dog", kind: "fact" } }
        : "Noted."
      return
    }
    const id = /\[(\d+)\]/.exec(text)?.[1]
    if (id && !text.includes("Forgotten"))
      yield { tool: "memory_forget", input: { ids: [Number(id)], sure: true } }
    else yield "It is forgotten."
  })
  await using gateway = await startGateway({ model })
  await ask(gateway, "chat.send", { content: `My dog is called ${secret}.` })
  await ask(gateway, "chat.send", { content: "FORGET it, please." })
  expect(JSON.stringify(model.asked.at(-1)!.messages)).toContain("Forgotten: 1 of 1")
  const history = JSON.stringify(
    await ask(gateway, "chat.history", { session_key: "default:ws:default:main" }),
  )
  expect(history).toContain("[forgotten]")
  expect(history).not.toContain(secret)
  const { hits } = await ask<{ hits: { text: string }[] }>(gateway, "memory.search", { query: secret })
  expect(hits.filter(({ text }) => text.includes(secret))).toEqual([])
})
