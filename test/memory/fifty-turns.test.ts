/** The whole way, as a user goes it: a gateway, fifty turns, a restart, and the request that a model gets. */
import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fillersOf } from "../../bench/conversations.ts"
import { openSocket, startGateway, startModel, temporaryFolder } from "../harness.ts"

const told = new Map([
  [5, "By the way, my name is Marguerite."],
  [12, "My sister lives in Coimbra, she teaches chemistry there."],
  [20, "The grant application is due on 14 February, no extensions."],
])
const needs_all_three =
  "Write to my sister that I will visit her city after the deadline of the grant application, signed with my name."

test("name, a sister's city and a deadline are in the request fifty turns and a restart later", async () => {
  await using folder = await temporaryFolder()
  await using model = startModel((_asked, call) => [call < 49 ? fillers[call]!.assistant : "Done."])
  const fillers = fillersOf("en").slice(0, 49)
  {
    await using gateway = await startGateway({ home: folder.path, model })
    await using client = await openSocket(gateway.ws, { token: gateway.token })
    for (const [i, { user }] of fillers.entries())
      await client.call("chat.send", { content: told.get(i + 1) ?? user })
  }
  await using gateway = await startGateway({ home: folder.path, model })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  await client.call("chat.send", { content: needs_all_three })
  const asked = JSON.stringify(model.asked.at(-1)!.messages)
  for (const value of ["Marguerite", "Coimbra", "14 February"]) expect(asked).toContain(value)
  // By bytes: a request of 5,000 tokens has more.
  expect(asked.length).toBeLessThan(5_000 * 3)
}, 20_000)

test("without a model or a key, offline quotes what it would tell one, and the soul files are read", async () => {
  await using folder = await temporaryFolder()
  {
    await using gateway = await startGateway({ home: folder.path })
    await using client = await openSocket(gateway.ws, { token: gateway.token })
    for (const content of told.values()) await client.call("chat.send", { content })
    for (const { user } of fillersOf("en").slice(0, 20)) await client.call("chat.send", { content: user })
  }
  await using gateway = await startGateway({ home: folder.path })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  const { result } = await client.call("chat.send", { content: needs_all_three })
  const { text } = result as { text: string }
  for (const value of ["Marguerite", "Coimbra", "14 February"]) expect(text).toContain(value)
}, 20_000)

test("the files of an agent's folder are told to its model after its instructions, as they are now", async () => {
  await using folder = await temporaryFolder()
  await using model = startModel(() => ["ok"])
  await using gateway = await startGateway({ home: folder.path, model, config: "" })
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  const write = (name: string, text: string) => {
    const path = join(folder.path, "agents", "default", name)
    return Bun.write(path, text)
  }
  await write("SOUL.md", "I am a cat.")
  await write("USER.md", "He is Bo.")
  await client.call("chat.send", { content: "hello" })
  writeFileSync(join(folder.path, "agents", "default", "USER.md"), "She is Bea.")
  await client.call("chat.send", { content: "hello" })
  const systems = model.asked.map(({ messages }) => messages.find(({ role }) => role === "system")?.content)
  expect(systems[0]).toEndWith("I am a cat.\n\nHe is Bo.")
  expect(systems[1]).toEndWith("I am a cat.\n\nShe is Bea.")
})
