import { Type } from "@sinclair/typebox"
import { AppError } from "../../base/errors.ts"
import { countSessions } from "../../store/sessions.ts"
import { agentsFilter } from "../access.ts"
import { reaches } from "../auth.ts"
import { openRpcDocument } from "../openrpc.ts"
import { batch_max, defineMethod, in_flight_max, Params } from "../rpc.ts"
import { channelStates } from "../webhooks.ts"

export const protocol_version = 1

export const ping = defineMethod({
  name: "ping",
  summary: "Whether the gateway answers.",
  scope: "none",
  urgent: true,
  params: Params({}),
  result: Type.Literal("pong"),
  run: () => "pong" as const,
})

const Connected = Type.Object({
  protocol: Type.Integer(),
  server: Type.Object({ name: Type.String(), version: Type.String() }),
  connection_id: Type.String(),
  scopes: Type.Array(Type.String(), { description: "What the token gives." }),
  agents: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: "The agents that the token reaches; null for all.",
  }),
  limits: Type.Object({
    payload_bytes_max: Type.Integer(),
    batch_max: Type.Integer(),
    in_flight_max: Type.Integer(),
  }),
  methods: Type.Array(Type.String()),
})

export const connect = defineMethod({
  name: "connect",
  summary: "Present a token and learn what the gateway offers. The first request of a socket.",
  scope: "none",
  before_connect: true,
  params: Params({
    token: Type.Optional(Type.String({ maxLength: 512, description: "A bearer token." })),
    client: Type.Optional(
      Type.Object(
        { name: Type.String({ maxLength: 100 }), version: Type.String({ maxLength: 100 }) },
        { description: "What the client calls itself; for the log." },
      ),
    ),
    protocol: Type.Optional(
      Type.Object(
        { min: Type.Integer(), max: Type.Integer() },
        { description: "The protocol versions that the client speaks." },
      ),
    ),
  }),
  result: Connected,
  run({ token, protocol }, { app, peer }) {
    if (protocol && (protocol.min > protocol_version || protocol.max < protocol_version)) {
      throw new AppError("invalid_params", {
        path: "/protocol",
        expected: `a range with ${protocol_version}`,
      })
    }
    if (token !== undefined) peer.caller = app.auth.authenticate(token, peer.address)
    const { caller } = peer
    if (!caller) throw new AppError("unauthorized")
    const { gateway } = app.live()
    return {
      protocol: protocol_version,
      server: { name: "weft", version: app.version },
      connection_id: peer.connection_id,
      scopes: [...caller.scopes],
      agents: caller.agents && [...caller.agents],
      limits: { payload_bytes_max: gateway.payload_bytes_max, batch_max, in_flight_max },
      methods: app.methods.map(({ name }) => name),
    }
  },
})

export const rpcDiscover = defineMethod({
  name: "rpc.discover",
  summary: "This interface as an OpenRPC document.",
  scope: "none",
  params: Params({}),
  result: Type.Unknown(),
  run: (_params, { app }) => openRpcDocument(app.methods, app.version),
})

const State = Type.Array(Type.Object({ id: Type.String(), state: Type.String() }))

export const status = defineMethod({
  name: "status",
  summary: "What runs and how it is.",
  scope: "read",
  params: Params({}),
  result: Type.Object({
    version: Type.String(),
    uptime_ms: Type.Integer(),
    agents: Type.Integer(),
    sessions: Type.Integer(),
    plugins: Type.Integer(),
    channels: State,
    providers: State,
    turns: Type.Object({ running: Type.Integer(), waiting: Type.Integer() }),
    connections: Type.Integer(),
    memory_bytes: Type.Integer({ description: "Resident memory of the process." }),
  }),
  run(_params, { app, caller }) {
    const { agents, providers } = app.live()
    return {
      version: app.version,
      uptime_ms: app.now_ms() - app.started_ms,
      agents: [...agents.keys()].filter((id) => reaches(caller, id)).length,
      sessions: countSessions(app.store.db, agentsFilter(caller, undefined)),
      plugins: app.plugins.list().filter(({ state }) => state === "ready").length,
      channels: channelStates(app),
      providers: providers(),
      turns: app.turns.counts(),
      connections: app.metrics.connections,
      memory_bytes: process.memoryUsage.rss(),
    }
  },
})
