import { expect, test } from "bun:test"
import { openGuest } from "./guest.ts"
import { install } from "./installed.ts"

test("notes are kept, listed in order, found by all their words and removed", async () => {
  await using notes = await install("notes", ["store:notes"])
  const kept = await notes.call("notes_add", { text: "Buy milk and Brot" })
  expect(kept).toMatch(/^Kept as 000001-\w+\.$/)
  await notes.call("notes_add", { text: "milk is out" })
  const listed = JSON.parse(await notes.call("notes_list"))
  expect(listed.map(({ text }: { text: string }) => text)).toEqual(["Buy milk and Brot", "milk is out"])
  const found = JSON.parse(await notes.call("notes_search", { words: "BROT milk" }))
  expect(found).toEqual([listed[0]])
  expect(await notes.call("notes_remove", { id: found[0].id })).toBe(`Removed ${found[0].id}.`)
  expect(await notes.call("notes_remove", { id: found[0].id })).toContain("no note")
  expect(await notes.call("notes_search", { words: "brot" })).toBe("No note has all of these words.")
})

test("each session has notes of its own, unless the agent's are granted", async () => {
  await using own = await install("notes", ["store:notes"])
  await own.call("notes_add", { text: "mine" })
  expect(await own.call("notes_list", {}, { session_key: "default:ws:default:other" })).toBe(
    "There are no notes.",
  )
  await using shared = await install("notes", ["store:notes:agent"])
  await shared.call("notes_add", { text: "ours" })
  expect(await shared.call("notes_list", {}, { session_key: "default:ws:default:other" })).toContain("ours")
})

test("two notes that are added at once have keys of their own", async () => {
  await using notes = await openGuest("notes")
  const keys: string[] = []
  const hosts = {
    // As both of them see it.
    store_list: () => '["000006-x"]',
    store_put: (argument: string) => {
      keys.push(JSON.parse(argument).key)
      return ""
    },
  }
  for (const text of ["one", "two"]) await notes.call("add", { text }, hosts)
  expect(keys).toEqual([expect.stringMatching(/^000007-\w+$/), expect.stringMatching(/^000007-\w+$/)])
  expect(new Set(keys).size).toBe(2)
})

test("without its grant it says what is wrong", async () => {
  await using notes = await install("notes", [])
  expect(await notes.call("notes_add", { text: "a" })).toBe("The notes cannot be reached: it is not granted.")
})

test("an empty note is none", async () => {
  await using notes = await install("notes", ["store:notes"])
  expect(await notes.call("notes_add", { text: " " })).toBe("The note is empty.")
})
