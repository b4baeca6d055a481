import { join } from "node:path"
import { AppError } from "../../base/errors.ts"
import { checkStore } from "../../store/check.ts"
import { type Finding, fail, ok, reasonOf, warn } from "./finding.ts"

const what = "database"
/** Larger ones take longer to read than somebody waits for this. */
const bytes_max = 256 * 1024 * 1024

export function checkDatabase(home: string, is_held: boolean): Finding {
  try {
    const found = checkStore(join(home, "weft.db"), { bytes_max, is_held })
    if (!found) return ok(what, "there is none yet; the first start makes it")
    const size = `${(found.bytes / 1_048_576).toFixed(1)} MiB`
    if (found.state === "held") return ok(what, `${size}, in use, so only its head was looked at`)
    if (found.state === "too_large") return ok(what, `${size}, too large to be read through here`)
    if (found.state === "checked") return ok(what, `${size}, read through, whole`)
    if (found.state === "words") {
      const said = `${size}; the memory's index of words is damaged, all else is whole`
      return warn(what, said, "start a gateway and run weft memory reindex: nothing is lost by it")
    }
    return warn(
      what,
      `${size}; the last gateway was killed`,
      "the next start checks it and takes over what is in its log",
    )
  } catch (thrown) {
    const newer = thrown instanceof AppError && thrown.code === "store_too_new"
    return fail(
      what,
      reasonOf(thrown),
      newer ? "run the newer version" : "restore a backup, after a copy of the home",
    )
  }
}
