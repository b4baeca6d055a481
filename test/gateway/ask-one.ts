import { Type } from "@sinclair/typebox"
import { defineMethod, Params } from "../../src/gateway/rpc.ts"

/** Asks as a turn's call does, and answers how it was decided. */
export const askOne = defineMethod({
  name: "test.ask",
  summary: "For this test.",
  scope: "admin",
  params: Params({
    agent: Type.String({ default: "default" }),
    text: Type.String({ default: "rm notes.txt" }),
  }),
  result: Type.Unknown(),
  run: ({ agent, text }, { app, peer }) => {
    const targets = [{ effect: "execute" as const, kind: "program" as const, text }]
    const session_key = `${agent}:ws:default:main`
    const asking = { agent, session_key, turn_id: "turn", tool: "exec", targets, input: { command: text } }
    return app.approvals.findGrant(asking) ?? app.approvals.ask(asking, peer.signal, () => undefined)
  },
})
