import { expect, test } from "bun:test"
import fc from "fast-check"
import type { Turn } from "../../src/agent/turn.ts"
import { AppError } from "../../src/base/errors.ts"
import { done, openHouse, partsOf, stopOf, stored, text, untilAborted } from "./scripted.ts"

const queue_max = 2

type Step = { say: number } | { finish: number } | { abort: number } | { settle: true }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ say: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ finish: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ abort: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ settle: fc.constant(true as const) }) },
)

test("whatever comes when, a session's turns run in order and one at a time, and each ends once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      /** By session: what lets the running turn go on. */
      const running = new Map<string, () => void>()
      await using house = await openHouse({
        queue_max,
        async *script({ messages }, _call, signal) {
          const [part] = messages.at(-1)!.parts
          const content = part?.type === "text" ? part.text : ""
          const peer = content.split(" ")[0]!
          expect(running.has(peer)).toBe(false)
          const { promise, resolve } = Promise.withResolvers<void>()
          running.set(peer, resolve)
          try {
            await Promise.race([promise, untilAborted(signal)])
          } finally {
            running.delete(peer)
          }
          yield text(`re ${content}`)
          yield done()
        },
      })
      const said: { peer: string; content: string; turn: Turn }[] = []
      const never_begun = new Set<Turn>()
      const settle = async () => {
        // Everything that can go on without a model's answer has done so after a commit of one's own.
        for (let i = 0; i < 3; i++) await house.store.commit(() => undefined)
      }
      for (const one of steps) {
        if ("say" in one) {
          const [peer, content] = [`p${one.say}`, `p${one.say} ${said.length}`]
          try {
            said.push({ peer, content, turn: house.say(content, {}, peer) })
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: "session_busy" })
          }
        } else if ("finish" in one) {
          await settle()
          running.get(`p${one.finish}`)?.()
        } else if ("abort" in one) {
          const aborted = said.at(-1 - one.abort)
          const { waiting } = house.turns.counts()
          aborted?.turn.abort(new AppError("aborted"))
          // One that still waited is out at once and was never begun.
          if (house.turns.counts().waiting < waiting) never_begun.add(aborted!.turn)
        } else await settle()
        expect(house.turns.counts().running).toBeLessThanOrEqual(2)
        expect(house.turns.counts().waiting).toBeLessThanOrEqual(2 * queue_max)
      }
      const open = () => house.turns.counts().running + house.turns.counts().waiting
      while (open() > 0) {
        await settle()
        for (const finish of running.values()) finish()
      }
      const ends = await Promise.all(said.map(({ turn }) => stopOf(turn)))
      for (const peer of ["p0", "p1"]) {
        const own = said.filter((one) => one.peer === peer)
        if (own.length === 0) continue
        await house.turns.between(partsOf(peer).key, async () => undefined)
        const begun = own.filter(({ turn }) => !never_begun.has(turn))
        const answered = (turn: Turn) => ends[said.findIndex((one) => one.turn === turn)] === "end"
        const lines = begun.flatMap(({ content, turn }) =>
          answered(turn) ? [`user ${content}`, `assistant re ${content}`] : [`user ${content}`],
        )
        if (begun.length > 0) expect(stored(house, peer)).toEqual(lines)
      }
      for (const { turn } of said) {
        const events = turn.log.entries.map(({ event }) => event.type)
        expect(events.filter((type) => type === "done")).toHaveLength(1)
        expect(events.at(-1)).toBe("done")
      }
    }),
    { numRuns: 60 },
  )
}, 30_000)
