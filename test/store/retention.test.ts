import { expect, test } from "bun:test"
import { addMemory, takeOwner } from "../../src/store/memory.ts"
import { addMessage } from "../../src/store/messages.ts"
import { openStore } from "../../src/store/open.ts"
import { purge } from "../../src/store/retention.ts"
import { touchSession } from "../../src/store/sessions.ts"
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
