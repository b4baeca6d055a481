import { expect, test } from "bun:test"
import fc from "fast-check"
import { type Origin, openRouter, type Route } from "../../src/gateway/bindings.ts"
import type { Binding } from "../../src/gateway/config.ts"

/** The rules as the protocol writes them, by looking at every binding in every tier. */
function scan(bindings: Binding[], { channel, account, peer, guild, team }: Origin): Route {
  const tiers = [
    ["peer", (one: Binding) => one.peer_id !== undefined],
    ["guild", (one: Binding) => one.guild_id !== undefined && one.peer_id === undefined],
    [
      "team",
      (one: Binding) => one.team_id !== undefined && one.peer_id === undefined && one.guild_id === undefined,
    ],
    [
      "account",
      ({ account_id, peer_id, guild_id, team_id }: Binding) =>
        account_id !== undefined && [peer_id, guild_id, team_id].every((id) => id === undefined),
    ],
    ["channel", (one: Binding) => Object.keys(one).every((name) => ["agent_id", "channel"].includes(name))],
  ] as const
  const pairs = (one: Binding) => [
    [one.channel, channel],
    [one.account_id, account],
    [one.peer_id, peer],
    [one.guild_id, guild],
    [one.team_id, team],
  ]
  for (const [tier, isOf] of tiers) {
    for (const binding of bindings) {
      if (!isOf(binding)) continue
      if (pairs(binding).every(([wanted, is]) => wanted === undefined || wanted === is)) {
        return { agent: binding.agent_id, matched_by: `binding.${tier}` }
      }
    }
  }
  return { agent: "default", matched_by: "default" }
}

// Few values, so that much matches; some are made to be mistaken for two, or for the length of one.
const value = fc.constantFrom("a", "b", "1:a", "-", "a1:b")
const maybe = fc.option(value, { nil: undefined, freq: 2 })
const selectors = { channel: maybe, account_id: maybe, peer_id: maybe, guild_id: maybe, team_id: maybe }
const binding = fc
  .tuple(fc.constantFrom("x", "y", "z"), fc.record(selectors))
  .map(([agent_id, set]) => ({
    agent_id,
    ...Object.fromEntries(Object.entries(set).filter(([, one]) => one)),
  }))
  .filter((one) => Object.keys(one).length > 1) as fc.Arbitrary<Binding>
const origin = fc
  .record({ channel: value, account: value, peer: value, guild: maybe, team: maybe })
  .map((one) => Object.fromEntries(Object.entries(one).filter(([, part]) => part)) as Origin)

test("the index finds what looking at every binding finds", () => {
  fc.assert(
    fc.property(
      fc.array(binding, { maxLength: 30 }),
      fc.array(origin, { minLength: 1, maxLength: 20 }),
      (list, asked) => {
        // An agent of its own for each binding tells which one it was.
        const bindings = list.map((one, i) => ({ ...one, agent_id: `${one.agent_id}${i}` }))
        const route = openRouter(bindings, "default")
        for (const one of asked) expect(route(one)).toEqual(scan(bindings, one))
      },
    ),
    { numRuns: 500 },
  )
})

const from: Origin = { channel: "telegram", account: "bot", peer: "42", guild: "g", team: "t" }
const all: Binding[] = [
  { agent_id: "by_channel", channel: "telegram" },
  { agent_id: "by_account", account_id: "bot" },
  { agent_id: "by_team", team_id: "t" },
  { agent_id: "by_guild", guild_id: "g" },
  { agent_id: "by_peer", peer_id: "42" },
]

test.each([
  ["peer", 5],
  ["guild", 4],
  ["team", 3],
  ["account", 2],
  ["channel", 1],
] as const)("the most specific tier wins wherever it stands: %s", (tier, count) => {
  expect(openRouter(all.slice(0, count), "main")(from)).toEqual({
    agent: `by_${tier}`,
    matched_by: `binding.${tier}`,
  })
})

test.each([
  ["no binding", [], from],
  ["one with another selector that does not match", [{ agent_id: "x", peer_id: "42", channel: "irc" }], from],
  [
    "one for a guild, where the message has none",
    [{ agent_id: "x", guild_id: "-" }],
    { ...from, guild: undefined },
  ],
] as [string, Binding[], Origin][])("with %s the default agent answers", (_what, bindings, origin) => {
  expect(openRouter(bindings, "main")(origin)).toEqual({ agent: "main", matched_by: "default" })
})

test("within a tier the first of the list wins, however many selectors each sets", () => {
  const bindings: Binding[] = [
    { agent_id: "wide", peer_id: "42" },
    { agent_id: "narrow", peer_id: "42", channel: "telegram", account_id: "bot" },
  ]
  expect(openRouter(bindings, "main")(from).agent).toBe("wide")
  expect(openRouter(bindings.toReversed(), "main")(from).agent).toBe("narrow")
})
