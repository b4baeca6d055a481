import { Type } from "@sinclair/typebox"
import { defineSection, Secret } from "../config/section.ts"

export const channelsSection = defineSection(
  "channels",
  Type.Record(
    Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,63}$" }),
    Type.Object(
      {
        plugin: Type.Optional(
          Type.String({
            minLength: 1,
            description: "The plugin that speaks this channel.",
            examples: ["mock-channel"],
          }),
        ),
        signature: Type.Optional(
          Type.String({
            minLength: 1,
            description: "How inbound requests are signed.",
            examples: ["hmac-sha256"],
          }),
        ),
        secret: Type.Optional(
          Secret({ description: "The secret of that signature.", examples: [{ env: "MOCK_SECRET" }] }),
        ),
      },
      { additionalProperties: true },
    ),
    {
      default: {},
      description: "Channels, one table each; the further fields are the channel's own.",
      examples: [{ mock: {} }],
    },
  ),
)

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
