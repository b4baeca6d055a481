import { type Static, Type } from "@sinclair/typebox"
import { defineSection, Secret } from "../config/section.ts"
import { schemes } from "./schemes.ts"
import { tolerance_s_default } from "./signature.ts"

const HeaderName = (description: string, example: string) =>
  Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$", description, examples: [example] })

/** Of RFC 8032, whose private half everybody knows. */
const example_key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

/** The fields that we know; all others are the channel's own. */
export const Channel = Type.Object(
  {
    plugin: Type.Optional(
      Type.String({
        minLength: 1,
        description: "The plugin that speaks this channel.",
        examples: ["mock-channel"],
      }),
    ),
    signature: Type.Optional(
      Type.Unsafe<string>(
        Type.Union(
          schemes.map(({ name }) => Type.Literal(name)),
          {
            description: `How inbound requests are signed. ${schemes.map(({ name, summary }) => `"${name}": ${summary}`).join(" ")}`,
            examples: ["hmac-sha256"],
          },
        ),
      ),
    ),
    secret: Type.Optional(
      Secret({ description: "The secret of that signature.", examples: [{ env: "MOCK_SECRET" }] }),
    ),
    public_key: Type.Optional(
      Type.String({
        description: "The key of a signature with a key pair, in hex; for discord.",
        examples: [example_key],
      }),
    ),
    verify_token: Type.Optional(
      Secret({
        description: "What the platform's question by GET must carry; for meta.",
        examples: [{ env: "META_VERIFY_TOKEN" }],
      }),
    ),
    header: Type.Optional(
      HeaderName(
        "The header with the signature or the secret: X-Signature-256 for hmac-sha256, X-Telegram-Bot-Api-Secret-Token for header.",
        "X-Signature-256",
      ),
    ),
    prefix: Type.Optional(
      Type.String({
        maxLength: 64,
        description: "What stands before the signature in its header; sha256= for hmac-sha256.",
        examples: ["sha256="],
      }),
    ),
    encoding: Type.Optional(
      Type.Union([Type.Literal("hex"), Type.Literal("base64")], {
        description: "How the signature is written; hex for hmac-sha256.",
      }),
    ),
    timestamp_header: Type.Optional(
      HeaderName(
        "The header with the time in seconds, which is signed before the body with a dot between; for hmac-sha256.",
        "X-Timestamp",
      ),
    ),
    tolerance_s: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 3600,
        description: `How far a signed time may be from now, in seconds; ${tolerance_s_default} where it is not set.`,
        examples: [tolerance_s_default],
      }),
    ),
    acknowledge: Type.Optional(
      Type.Union([Type.Literal("when_done"), Type.Literal("at_once")], {
        description:
          'When the platform is answered: "when_done" (where it is not set) with the answer, or "at_once" when the message is on the disk, for platforms that wait only seconds; the answer is then sent by the adapter\'s request.',
      }),
    ),
  },
  { additionalProperties: true },
)

export const channelsSection = defineSection(
  "channels",
  Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,63}$" }), Channel, {
    default: {},
    description:
      "Channels, one table each, reached by POST /webhook/{name}; the further fields are the channel's own, and its adapter's requests may carry them as {{secret:field}}.",
    examples: [{ mock: {} }],
  }),
)

export type ChannelsConfig = Static<typeof channelsSection.schema>
export type ChannelConfig = ChannelsConfig[string]

export const secretsSection = defineSection(
  "secrets",
  Type.Record(
    Type.String({ pattern: "^[A-Z][A-Z0-9_]*$" }),
    Secret({
      description: "A value that the host puts into requests as {{secret:NAME}}.",
      examples: [{ env: "GITHUB_TOKEN" }],
    }),
    { default: {}, description: "Values that no model and no plugin sees.", examples: [{ GITHUB: {} }] },
  ),
)
