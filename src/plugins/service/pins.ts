/** Whether what lies on the disk is what was approved. */
import type { PluginRow } from "../../store/plugins.ts"

export type Pin = Pick<PluginRow, "sha256" | "manifest_sha256" | "asks">

/** What differs, in words for an operator; undefined where nothing does. */
export function describeChange(approved: Pin, found: Pin): string | undefined {
  const added = found.asks.filter((ask) => !approved.asks.includes(ask))
  const removed = approved.asks.filter((ask) => !found.asks.includes(ask))
  const changes = [
    approved.sha256 !== found.sha256 &&
      `its code is another one (sha256 ${short(found.sha256)}, approved was ${short(approved.sha256)})`,
    added.length > 0 && `it asks for ${added.join(", ")} besides`,
    removed.length > 0 && `it no longer asks for ${removed.join(", ")}`,
  ].filter((change) => change !== false)
  if (approved.manifest_sha256 !== found.manifest_sha256 && added.length + removed.length === 0) {
    changes.push(manifestChange(approved.manifest_sha256, found.manifest_sha256))
  }
  return changes.length === 0 ? undefined : changes.join("; ")
}

function manifestChange(approved: string, found: string): string {
  if (found === "") return "its manifest is gone"
  return approved === "" ? "it has a manifest, and had none" : "its manifest is another one"
}

const short = (sha256: string): string => (sha256 === "" ? "none" : `${sha256.slice(0, 12)}…`)
