/** What is remembered, for reading. */
import type { Methods } from "../../client/client.ts"
import { duration, fields, harmless, table, when } from "../text.ts"

type Item = Methods["memory.list"]["result"]["items"][number]
type Hit = Methods["memory.search"]["result"]["hits"][number]
type Searched = Methods["memory.search"]["result"]["searched"]
type Explained = Methods["memory.explain"]["result"]
type Stats = Methods["memory.stats"]["result"]

const whoseOf = ({ sender, namespace, agent }: Item): string => {
  if (namespace) return `${agent}, shared in ${namespace}`
  return sender || `all senders of ${agent}`
}

const stateOf = ({ fact }: Item): string => {
  if (fact?.superseded_ms !== undefined) return `, no longer so since ${when(fact.superseded_ms)}`
  return fact?.disputes === undefined ? "" : ", disputed"
}

export function showItem(item: Item, notes: readonly string[] = []): string {
  const { memory_id, kind, created_ms, session_key, tags } = item
  const about = [...notes, ...tags.map((tag) => `#${tag}`)].join(", ")
  const place = session_key === null ? whoseOf(item) : session_key
  const head = `${memory_id}  ${when(created_ms)}  ${kind}${stateOf(item)}  ${place}${about && `  (${about})`}`
  return `${harmless(head)}\n  ${harmless(item.text).replace(/\s+/g, " ").trim()}`
}

export const showHits = (hits: readonly Hit[], searched: Searched): string =>
  [
    ...(hits.length === 0 ? ["Nothing found."] : hits.map((hit) => showItem(hit, hit.why))),
    showSearched(searched),
  ].join("\n")

/** An empty answer means something only beside what was looked at. */
export function showSearched({ rows, words_matched, vectors, pending, warnings, took_ms }: Searched): string {
  const by_meaning = vectors.map(
    ({ embedder, index, looked_at }) => `${looked_at} by the vectors of ${embedder} (${index})`,
  )
  const how = [`${words_matched} matched by words`, ...by_meaning].join(", ")
  const late = pending > 0 ? [`${pending} messages are not indexed yet.`] : []
  const wrong = warnings.map((warning) => `warning: ${warning}`)
  return [`Looked at ${rows} rows: ${how}; ${duration(took_ms)}.`, ...late, ...wrong].join("\n")
}

const excerpt_chars = 60

export function showExplained({ pieces, tokens, budget, searched }: Explained): string {
  const rows = pieces.map(({ part, memory_id, tokens, included, why, text }) => [
    part,
    memory_id ?? "",
    String(tokens),
    included ? "in" : "out",
    why,
    excerpt(text),
  ])
  const sums = Object.entries(Object.groupBy(pieces, ({ part }) => part)).map(([part, of = []]) => {
    const used = of.filter(({ included }) => included).reduce((sum, one) => sum + one.tokens, 0)
    return `${part} ${used}${budget[part] === undefined ? "" : ` of ${budget[part]}`}`
  })
  const total = `${tokens} tokens in all: ${sums.join(", ")}`
  const found = searched ? [showSearched(searched)] : []
  return [table(["PART", "MEMORY", "TOKENS", "", "WHY", "TEXT"], rows), total, ...found].join("\n")
}

function excerpt(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim()
  return flat.length <= excerpt_chars ? flat : `${flat.slice(0, excerpt_chars).toWellFormed()}…`
}

export function showStats({ rows, facts, pending, embedder, vectors, kernel }: Stats): string {
  const counts = Object.entries(rows).map(([kind, count]) => `${count} ${kind.replace("_", " ")}`)
  const head = fields({
    rows: counts.join(", "),
    facts: `${facts.current} hold, ${facts.superseded} no longer, ${facts.disputed} disputed`,
    pending: `${pending} messages to be indexed`,
    embedder,
    kernel,
  })
  if (vectors.length === 0) return head
  const sets = vectors.map((set) => [
    set.embedder,
    set.state,
    String(set.hot),
    String(set.warm),
    String(set.cold),
    String(set.missing),
    set.index,
    set.work === "none" ? "" : `${set.work} ${Math.round(100 * set.progress)} %`,
    `${(set.disk_bytes / 1_048_576).toFixed(1)} MiB in ${set.kept_in}`,
  ])
  const names = ["VECTORS OF", "STATE", "HOT", "WARM", "COLD", "MISSING", "INDEX", "WORK", "SIZE"]
  return `${head}\n\n${table(names, sets)}`
}
