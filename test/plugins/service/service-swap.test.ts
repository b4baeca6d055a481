/** Whatever is done to its file while it is called, nothing runs but what was approved. */
import { expect, test } from "bun:test"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { callOf, openHouse } from "../house.ts"
import { make } from "../made.ts"

const [good, evil] = [make({ answer: { content: "good" } }), make({ answer: { content: "evil" } })]

test("over hundreds of swaps under calls no answer is another code's", async () => {
  await using house = await openHouse()
  house.write("echo", good)
  await using started = await house.start([house.config("echo")])
  const path = join(house.folder, "echo.wasm")
  const ways: ((module: Uint8Array) => void)[] = [
    (module) => writeFileSync(path, module),
    (module) => {
      writeFileSync(`${path}.new`, module)
      renameSync(`${path}.new`, path)
    },
  ]
  const answers = new Map<string, number>()
  const [tool] = started.plugins.tools()
  let is_over = false
  const callers = Array.from({ length: 6 }, async () => {
    while (!is_over) {
      // What somebody was given before, and what is offered now.
      for (const one of [tool, ...started.plugins.tools()]) {
        const answer = await one!.call({}, callOf()).then(
          ({ content }) => content,
          (thrown: Error) => thrown.message.replace(/\(\w+\)/, ""),
        )
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
      // A call that is refused at once must not keep the others from their turn.
      await new Promise(setImmediate)
    }
  })
  for (let round = 0; round < 200; round++) {
    ways[round % 2]!(round % 4 < 2 ? evil : good)
    // Until the calls under way have seen it.
    const before = answers.values().reduce((sum, count) => sum + count, 0)
    while (answers.values().reduce((sum, count) => sum + count, 0) < before + 3)
      await new Promise(setImmediate)
  }
  is_over = true
  await Promise.all(callers)
  const sentences =
    /^(The plugin "echo" (is out of service|was replaced meanwhile)|The file of the plugin "echo" is no longer)/
  expect([...answers.keys()].filter((answer) => answer !== "good" && !sentences.test(answer))).toEqual([])
  expect(answers.get("good")).toBeGreaterThan(0)
  ways[1]!(good)
  await started.call("echo").catch(() => undefined)
  expect(await started.call("echo")).toBe("good")
}, 60_000)
