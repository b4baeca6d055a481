import { type Static, Type } from "@sinclair/typebox"
import { defineSection } from "../config/section.ts"

const Names = (description: string, example: string) =>
  Type.Array(Type.String({ minLength: 1 }), { default: [], description, examples: [[example]] })

export const gatewaySection = defineSection(
  "gateway",
  Type.Object(
    {
      bind: Type.String({
        default: "127.0.0.1",
        minLength: 1,
        description: "Address to listen on.",
        restart: true,
      }),
      port: Type.Integer({
        default: 7200,
        minimum: 0,
        maximum: 65535,
        description: "Port to listen on; 0 picks a free one.",
        restart: true,
      }),
      auth: Type.Union([Type.Literal("token"), Type.Literal("none")], {
        default: "token",
        description: 'Whether clients need a token; "none" only on a loopback bind.',
        restart: true,
      }),
      hosts: Names(
        "Further Host names that requests may carry, beside loopback names and the bound address.",
        "gateway.example.com",
      ),
      origins: Names("Further Origins that browsers may come from.", "https://panel.example.com"),
      trusted_proxies: Names("Addresses or CIDR ranges whose X-Forwarded-* headers count.", "10.0.0.0/8"),
      tls: Type.Optional(
        Type.Object(
          {
            cert: Type.String({
              minLength: 1,
              description: "The certificate chain, PEM; relative to the configuration.",
              examples: ["tls/fullchain.pem"],
              file: true,
            }),
            key: Type.String({
              minLength: 1,
              description: "The private key, PEM; relative to the configuration.",
              examples: ["tls/key.pem"],
              file: true,
            }),
          },
          { additionalProperties: false, description: "Serve TLS with this certificate.", restart: true },
        ),
      ),
      metrics_public: Type.Boolean({ default: false, description: "Serve /metrics without a token." }),
      payload_bytes_max: Type.Integer({
        default: 1_048_576,
        minimum: 1024,
        maximum: 67_108_864,
        description: "Largest WebSocket frame or RPC body, in bytes.",
        restart: true,
      }),
      file_bytes_max: Type.Integer({
        default: 26_214_400,
        minimum: 1024,
        maximum: 1_073_741_824,
        description: "Largest uploaded file, in bytes.",
        restart: true,
      }),
      connections_max: Type.Integer({
        default: 16_384,
        minimum: 1,
        description: "Most sockets open at once.",
      }),
      unauthenticated_max: Type.Integer({
        default: 64,
        minimum: 1,
        description: "Most sockets at once that have not presented a token yet.",
      }),
      queue_max: Type.Integer({
        default: 16,
        minimum: 0,
        maximum: 1024,
        description: "Turns that may wait in one session.",
      }),
      drain_ms: Type.Integer({
        default: 10_000,
        minimum: 0,
        maximum: 10_000,
        description: "How long running turns may go on after SIGTERM, in milliseconds.",
      }),
    },
    { additionalProperties: false, description: "The server: where it listens, who may connect, limits." },
  ),
)

export type GatewayConfig = Static<typeof gatewaySection.schema>

const Selector = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, description, examples: [example] }))

export const bindingsSection = defineSection(
  "bindings",
  Type.Array(
    Type.Object(
      {
        agent_id: Type.String({ minLength: 1, description: "The agent that answers.", examples: ["work"] }),
        channel: Selector("A channel.", "telegram"),
        account_id: Selector("One account of the channel.", "my_bot"),
        peer_id: Selector("One person or conversation.", "12345"),
        guild_id: Selector("One guild or server.", "67890"),
        team_id: Selector("One team or workspace.", "T0123"),
      },
      { additionalProperties: false },
    ),
    {
      default: [],
      description: "Which agent answers whom; at least one selector each, the most specific wins.",
    },
  ),
)

export type Binding = Static<typeof bindingsSection.schema>[number]
