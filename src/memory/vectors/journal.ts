import { AppError } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import type { Store } from "../../store/open.ts"
import { listChanges, removeChanges } from "../../store/vectors.ts"

/** What SQLite says has changed. */
export type Journal = {
  /** Places that changed since it was asked last, of a thousand changes at a time. They are marked as taken in the background. */
  take(): Generator<number[]>
  /** When all that was taken is marked, if it can be. */
  cleared(): Promise<void>
}

const changes_at_once = 1024

export function openJournal({ db, commit }: Store, log: Log): Journal {
  let taken = 0
  let clearing: Promise<void> | undefined
  const clear = async (until: number) => {
    try {
      await commit((db) => removeChanges(db, until))
    } catch (thrown) {
      // They are taken again when the files are opened, which changes nothing.
      if (!(thrown instanceof AppError)) throw thrown
      log.warn("What the files of the vectors have taken over could not be marked.", { code: thrown.code })
    }
    clearing = undefined
  }
  return {
    *take() {
      const before = taken
      for (;;) {
        const changes = listChanges(db, taken, changes_at_once)
        if (changes.length === 0) break
        yield [...new Set(changes.map(({ place }) => place))]
        // Only now: where they could not be taken over, they come again.
        taken = changes.at(-1)!.seq
      }
      if (taken > before) clearing ??= clear(taken)
    },
    async cleared() {
      await clearing
      if (taken > 0) await clear(taken)
    },
  }
}
