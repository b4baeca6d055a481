import { AppError } from "../../base/errors.ts"
import type { Log } from "../../base/log.ts"
import type { Store } from "../../store/open.ts"
import { listChanges, removeChanges } from "../../store/vectors.ts"

/** What SQLite says has changed. */
export type Journal = {
  /**
   * Hands on places that changed since it was asked last, of at most `limit` changes, and answers whether there may be
   * more. They are marked as taken in the background.
   */
  take(limit: number, apply: (places: number[]) => void): boolean
  /** When all that was taken is marked, if it can be. */
  cleared(): Promise<void>
}

export function openJournal({ db, commit }: Store, log: Log): Journal {
  let taken = 0
  let clearing: Promise<void> | undefined
  const clear = async () => {
    try {
      for (let until = -1; until < taken; ) {
        until = taken
        await commit((db) => removeChanges(db, until))
      }
    } catch (thrown) {
      // They are taken again when the files are opened, which changes nothing.
      if (!(thrown instanceof AppError)) throw thrown
      log.warn("What the files of the vectors have taken over could not be marked.", { code: thrown.code })
    }
    clearing = undefined
  }
  return {
    take(limit, apply) {
      const changes = listChanges(db, taken, limit)
      const last = changes.at(-1)
      if (!last) return false
      apply([...new Set(changes.map(({ place }) => place))])
      // Only now: where they could not be taken over, they come again.
      taken = last.seq
      clearing ??= clear()
      return changes.length === limit
    },
    async cleared() {
      await clearing
      if (taken > 0) await clear()
    },
  }
}
