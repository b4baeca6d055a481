import { type Static, Type } from "@sinclair/typebox"
import { defineSection, Secret } from "../config/section.ts"

/** The fields that every kind of provider has. */
export const provider_fields = {
  api_key: Type.Optional(
    Secret({
      description: "The key; unset: the provider's usual environment variable, or credentials/<name>.key.",
      examples: [{ env: "ANTHROPIC_API_KEY" }],
    }),
  ),
  base_url: Type.Optional(
    Type.String({
      pattern: "^https?://",
      description: "Where the API is; unset: the provider's own address.",
      examples: ["https://api.anthropic.com"],
    }),
  ),
  timeout_ms: Type.Integer({
    default: 120_000,
    minimum: 100,
    description: "Longest wait for an answer to begin, in milliseconds.",
  }),
  idle_timeout_ms: Type.Integer({
    default: 45_000,
    minimum: 100,
    description: "Longest silence within an answer, in milliseconds.",
  }),
  headers: Type.Record(
    Type.String(),
    Secret({ description: "A header's value.", literal: true, examples: ["weft"] }),
    {
      default: {},
      description: "Further HTTP headers of each request; a value may be a secret.",
      examples: [{ "x-title": {} }],
    },
  ),
}

export const providersSection = defineSection(
  "providers",
  Type.Record(
    Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" }),
    Type.Object(
      {
        kind: Type.Optional(
          Type.Union(
            [
              Type.Literal("anthropic"),
              Type.Literal("openai"),
              Type.Literal("openai-compatible"),
              Type.Literal("google"),
              Type.Literal("offline"),
            ],
            { description: "Which wire it speaks; unset: known from the name." },
          ),
        ),
        api: Type.Optional(
          Type.Union([Type.Literal("responses"), Type.Literal("chat")], {
            description: 'For kind "openai": which of its two APIs; unset: responses.',
          }),
        ),
        model: Type.Optional(
          Type.String({
            minLength: 1,
            description: "The model that agents get by default.",
            examples: ["claude-sonnet-5"],
          }),
        ),
        ...provider_fields,
      },
      { additionalProperties: false },
    ),
    {
      default: {},
      description: "Where models come from: any number, by name.",
      examples: [{ anthropic: {} }],
    },
  ),
)

export type ProviderConfig = Static<typeof providersSection.schema>[string]
