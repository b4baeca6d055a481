import { type Static, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { parseTransferRow, TransferRow, text_chars_max, time_ms_max } from "../../memory/transfer/row.ts"
import { agentsFilter } from "../access.ts"
import { type Caller, reaches } from "../auth.ts"
import { Id, Words } from "../memory-shapes.ts"
import { defineMethod, Params } from "../rpc.ts"
import { page_bytes_max } from "./chat.ts"

const Embedder = Type.Object(
  { id: Words(256, "As an export says."), dim: Type.Integer({ minimum: 1, maximum: 4096 }) },
  { additionalProperties: false, description: "What made the vectors." },
)

export const memoryExport = defineMethod({
  name: "memory.export",
  summary: "What is remembered, whole, in pages: each row as a line of an export has it.",
  scope: "admin",
  params: Params({
    agent: Type.Optional(Type.String({ description: "Unset: all agents that the token reaches." })),
    vectors: Type.Boolean({ default: false, description: "With each row's vector." }),
    after: Type.Optional(Type.String({ pattern: Id.pattern!, description: "`next` of the page before." })),
    limit: Type.Integer({ default: 500, minimum: 1, maximum: 5000 }),
  }),
  result: Type.Object({
    rows: Type.Array(TransferRow),
    embedder: Type.Optional(Embedder),
    next: Type.Optional(Type.String()),
  }),
  async run({ agent, vectors, after = "0", limit }, { app, caller }) {
    const page = { after: Number(after), limit, bytes_max: page_bytes_max, with_vectors: vectors }
    const memory = await app.memory.ready()
    const { rows, next, embedder } = memory.exportRows({ agents: agentsFilter(caller, agent), ...page })
    return { rows, ...(embedder && { embedder }), ...(next !== undefined && { next: String(next) }) }
  },
})

const Message = Type.Object(
  {
    agent: Words(64, "Whose conversation it becomes."),
    channel: Words(256, "The channel."),
    account: Words(256, "The channel's account."),
    peer: Words(256, "Who it was with."),
    role: Type.Union([Type.Literal("user"), Type.Literal("assistant")]),
    text: Type.String({ minLength: 1, maxLength: text_chars_max }),
    created_ms: Type.Integer({ minimum: 0, maximum: time_ms_max }),
    nth: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1e9,
      description: "Messages before it that are the same.",
    }),
  },
  { additionalProperties: false },
)

export const memoryImport = defineMethod({
  name: "memory.import",
  summary:
    "Take rows of an export in, and conversations that were held elsewhere. What is here already is not taken twice.",
  scope: "admin",
  params: Params({
    rows: Type.Array(Type.Unknown(), {
      default: [],
      maxItems: 1000,
      description: "As memory.export gives them.",
    }),
    embedder: Type.Optional(Embedder),
    messages: Type.Array(Message, {
      default: [],
      maxItems: 1000,
      description: "In order; of a session that is in use here they become notes.",
    }),
  }),
  result: Type.Object({
    added: Type.Integer(),
    known: Type.Integer({ description: "Was here already." }),
    detached: Type.Integer({ description: "Of those added: notes now, since their session is not here." }),
    left: Type.Integer({ description: "Messages that are here and are indexed by themselves." }),
    vectors: Type.Integer({ description: "Taken over; the others are made anew." }),
    messages: Type.Integer({ description: "Added to sessions." }),
    bad: Type.Optional(
      Type.Object(
        { index: Type.Integer(), path: Type.String(), expected: Type.String() },
        { description: "The first row that is none. Those before it were taken, and none after it." },
      ),
    ),
  }),
  async run({ rows: given, embedder, messages }, { app, caller }) {
    const { rows, bad } = parseRows(given, caller)
    for (const { agent } of messages) checkAgent(caller, agent)
    const memory = await app.memory.ready()
    const said = await memory.importMessages(messages)
    const done = await memory.importRows({ rows, embedder })
    return {
      ...done,
      added: done.added + said.as_notes,
      known: done.known + said.known,
      detached: done.detached + said.as_notes,
      messages: said.messages,
      ...(bad && { bad }),
    }
  },
})

type Bad = { index: number; path: string; expected: string }

function parseRows(
  given: readonly unknown[],
  caller: Caller,
): { rows: Static<typeof TransferRow>[]; bad?: Bad } {
  const rows: Static<typeof TransferRow>[] = []
  for (const [index, value] of given.entries()) {
    try {
      const row = parseTransferRow(value)
      checkAgent(caller, row.agent)
      rows.push(row)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== "invalid_params") throw thrown
      const { path, expected } = thrown.data
      return { rows, bad: { index, path: String(path), expected: String(expected) } }
    }
  }
  return { rows }
}

function checkAgent(caller: Caller, agent: string): void {
  if (!reaches(caller, agent)) throw new AppError("forbidden", { scope: "agents", agent })
}
