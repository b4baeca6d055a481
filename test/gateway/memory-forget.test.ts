import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
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

test("what an agent added is forgotten with its call, and with the turn that forgets it", async () => {
  const secret = "Zanzibarquelle"
  await using model = startModel(function* ({ messages }: Asked): Generator<Said> {
    const { role, content } = messages.at(-1)!
    const text = JSON.stringify(content)
    if (role === "user" && text.includes("REMEMBER how")) {
      yield "I shall."
      yield { tool: "memory_add", input: { text: `The locker opens with ${secret}` } }
    } else if (role === "user") yield { tool: "memory_search", input: { query: "locker" } }
    else if (text.includes("Searched"))
      yield {
        tool: "memory_forget",
        input: { ids: [Number(/\[(\d+)\] [^[]* note /.exec(text)![1])], sure: true },
      }
    else yield "So be it."
  })
  await using gateway = await startGateway({ model })
  const has = () =>
    readdirSync(gateway.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .some(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(secret))
  await ask(gateway, "chat.send", { content: "REMEMBER how my locker opens." })
  expect(has()).toBe(true)
  await ask(gateway, "chat.send", { content: "FORGET it, please." })
  expect(JSON.stringify(model.asked.at(-1)!.messages)).toContain("Forgotten: 1 of 1")
  const history = JSON.stringify(
    await ask(gateway, "chat.history", { session_key: "default:ws:default:main" }),
  )
  expect(history).not.toContain(secret)
  expect(has()).toBe(false)
})
