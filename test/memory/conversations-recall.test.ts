/** A few of the labelled conversations as a whole; all of them, and those that are held back, are measured in bench/. */
import { expect, test } from "bun:test"
import { languages, measureConversations } from "../../bench/conversations.ts"
import { temporaryFolder } from "../harness.ts"

/** The issue's: a fact of turn 5 asked for at turn 50. */
const tokens_max = 5_000

test.each([...languages])(
  "what was said at turn 5 is there at turn 50 after a restart, in %s",
  async (language) => {
    await using folder = await temporaryFolder()
    const only = [`${language}-004`]
    const [conversation] = await measureConversations({
      languages: [language],
      set: "open",
      only,
      folder: folder.path,
    })
    expect(conversation).toMatchObject({ missing: [], stale: [], wrong: [] })
    expect(conversation!.tokens).toBeLessThanOrEqual(tokens_max)
  },
)
