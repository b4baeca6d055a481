import { expect, test } from "bun:test"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { addMessage } from "../../src/store/messages.ts"
import { openStore } from "../../src/store/open.ts"
import { purge, purgeMessagesStep } from "../../src/store/retention.ts"
import { deleteMessagesStep, touchSession } from "../../src/store/sessions.ts"
import { addSummary } from "../../src/store/summaries.ts"

const day_ms = 86_400_000

test("with messages whose time is over go the summaries that have words of theirs", async () => {
  await using store = openStore(":memory:")
  const { db } = store
  const parts = { agent: "a", channel: "ws", account: "default", peer: "ann" }
  const { id: session_id } = touchSession(db, "a:ws:default:ann", parts, 1)
  const owner_id = takeOwner(db, { agent: "a", sender: "ws:default:ann", namespace: "" })
  const ids = [1, 2, 3, 4].map((day) =>
    addMessage(db, session_id, { turn_id: "t", role: "user", parts: [], created_ms: day * day_ms }),
  )
  const summaries = [ids.slice(0, 2), ids.slice(1, 3), ids.slice(2)].map(([first, last]) => {
    const row = { owner_id, session_id, message_id: null, text: "said", hash: new Uint8Array(16), words: "" }
    const memory_id = addMemory(db, {
      ...{ ...row, kind: "summary", importance: 0.5, source: "conversation", created_ms: 1, tags: [] },
    })
    const range = { first_message: first!, last_message: last!, tokens: 1, made_by: "sentences" }
    addSummary(db, { memory_id, session_id, ...range })
    return memory_id
  })
  purge(db, { turn_events_hours: 24, tool_results_hours: 168, messages_days: 2 }, 4.5 * day_ms)
  expect(db.query("SELECT id FROM message").values().flat()).toEqual(ids.slice(2))
  expect(db.query("SELECT id FROM memory").values().flat()).toEqual([summaries[2]!])
})

test.each(["session", "retention"])(
  "messages go in steps, so that others have their turn: %s",
  async (of) => {
    await using store = openStore(":memory:")
    const { db } = store
    const parts = { agent: "a", channel: "ws", account: "default", peer: "ann" }
    const [ann, bob] = ["ann", "bob"].map((peer) =>
      touchSession(db, `a:ws:default:${peer}`, { ...parts, peer }, 1),
    )
    const add = (session_id: number, day: number) =>
      addMessage(db, session_id, { turn_id: "t", role: "user", parts: [], created_ms: day * day_ms })
    const kept = [add(bob!.id, 9)]
    for (let i = 0; i < 600; i++) add(ann!.id, 1)
    kept.push(add(bob!.id, 9))
    const retention = { turn_events_hours: 24, tool_results_hours: 168, messages_days: 2 }
    const step = () =>
      of === "session" ? deleteMessagesStep(db, ann!.id) : purgeMessagesStep(db, retention, 10 * day_ms)
    const count = () => db.query("SELECT count(*) FROM message").values()[0]![0] as number
    const left: number[] = []
    while (step()) left.push(count())
    expect(left).toEqual([346, 90, 2])
    expect(db.query("SELECT id FROM message").values().flat()).toEqual(kept)
  },
)
