/** One line of an export: a row of the memory with all that is known of it. */
import { type Static, Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { parser } from "../../base/schema.ts"
import { parseSessionKey } from "../../base/session-key.ts"
import { memory_kinds } from "../../store/memory.ts"

export const transfer_format = "weft.memory"
export const transfer_version = 1

/** Longer than any passage, and short enough for a frame whatever is in it. */
export const text_chars_max = 100_000
/** Records of vectors have 32 bits for seconds: up to the year 2106. */
export const time_ms_max = 4_294_967_295_999
const Time = (description: string) => Type.Integer({ minimum: 0, maximum: time_ms_max, description })
const Word = Type.String({ minLength: 1, maxLength: 1024 })
const closed = { additionalProperties: false }
const sources = ["conversation", "user", "agent", "model", "import"] as const
const fact_types = ["fact", "relationship", "attribute"] as const

const MessageRef = Type.Object(
  { id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), turn_id: Word },
  { ...closed, description: "A message by what stays the same of it." },
)

const TransferFact = Type.Object(
  {
    uid: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: "Unset: it is learnt as if it were said now.",
      }),
    ),
    type: Type.Union(
      fact_types.map((type) => Type.Literal(type)),
      { default: "fact" },
    ),
    subject: Word,
    predicate: Word,
    object: Type.String({ maxLength: 16_000 }),
    key: Type.Optional(
      Type.String({ maxLength: 4096, description: "Of subject and predicate: what supersedes what." }),
    ),
    confidence: Type.Number({ default: 1, minimum: 0, maximum: 1 }),
    learned_ms: Type.Optional(Time("Unset: created_ms.")),
    superseded_ms: Type.Optional(Time("Since when it holds no more.")),
    superseded_by: Type.Optional(Type.String({ maxLength: 64 })),
    disputes: Type.Optional(Type.String({ maxLength: 64 })),
    said_in: Type.Optional(MessageRef),
  },
  closed,
)

export const TransferRow = Type.Object(
  {
    agent: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" }),
    sender: Type.String({ default: "", maxLength: 4096, description: '"channel:account:peer".' }),
    namespace: Type.String({ default: "", maxLength: 64 }),
    kind: Type.Union(memory_kinds.map((kind) => Type.Literal(kind))),
    text: Type.String({ maxLength: text_chars_max }),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { default: [], maxItems: 256 }),
    importance: Type.Number({ default: 0.5, minimum: 0, maximum: 1 }),
    source: Type.Union(
      sources.map((source) => Type.Literal(source)),
      { default: "import" },
    ),
    created_ms: Time("When it was said or added."),
    undated: Type.Optional(
      Type.Literal(true, {
        description: "created_ms is a file's: the same row of another time is the same one.",
      }),
    ),
    used_ms: Type.Optional(Time("When a search last gave it to a model.")),
    uses: Type.Integer({ default: 0, minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    nth: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1e9,
      description: "Rows before it that are the same.",
    }),
    session: Type.Optional(Type.Object({ key: Word, created_ms: Time("When it began.") }, closed)),
    message: Type.Optional(MessageRef),
    summary: Type.Optional(
      Type.Object(
        {
          first: MessageRef,
          last: MessageRef,
          tokens: Type.Integer({ minimum: 0, maximum: 1e9 }),
          made_by: Type.String({ maxLength: 256 }),
        },
        closed,
      ),
    ),
    fact: Type.Optional(TransferFact),
    vector: Type.Optional(
      Type.String({ maxLength: 32_768, description: "float32, little-endian, in base64." }),
    ),
  },
  closed,
)

export type TransferRow = Static<typeof TransferRow>

const parse = parser(TransferRow)

/** As the store would have it: half a character is none. Throws invalid_params. */
export function parseTransferRow(value: unknown): TransferRow {
  const row = parse(value)
  if (row.sender !== "" && !parseSessionKey(`agent:${row.sender}`)) {
    throw new AppError("invalid_params", { path: "/sender", expected: "channel:account:peer" })
  }
  if (row.sender !== "" && row.namespace !== "") {
    throw new AppError("invalid_params", { path: "/namespace", expected: "a sender or a namespace" })
  }
  if ((row.kind === "fact") !== (row.fact !== undefined)) {
    throw new AppError("invalid_params", { path: "/fact", expected: "with a fact, and with nothing else" })
  }
  return { ...row, text: row.text.toWellFormed(), tags: row.tags.map((tag) => tag.toWellFormed()) }
}

/** What an exported row was, where its session is not here: kept beside the note that it has become. */
export type Origin = Partial<Pick<TransferRow, "kind" | "session" | "message" | "summary">> & {
  said_in?: Static<typeof MessageRef>
}

/** What made the vectors of an export. */
export type TransferEmbedder = { id: string; dim: number }
