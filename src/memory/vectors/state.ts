import { join } from "node:path"
import type { Store } from "../../store/open.ts"
import { countMemories, getSet } from "../../store/vectors.ts"
import type { Collection } from "./collection.ts"
import { sizeOf } from "./flat.ts"
import { nodesOf, unlinkedOf } from "./graph.ts"
import type { GraphState, SetState } from "./set.ts"

export function stateOf(collection: Collection, db: Store["db"]): SetState {
  const { id, embedder, shape, state, main, cold, folder, graph, kept_in, reason } = collection
  const { opened, work, progress, rebuilds, rebuilt_because } = collection
  const files = [main, cold].flatMap((part) => part.files)
  const names = [...main.names, ...cold.names, "graph"]
  return {
    id,
    embedder,
    dim: shape.dim,
    state,
    rows: { hot: main.counts.hot, warm: main.counts.warm, cold: cold.counts.cold },
    missing: Math.max(0, countMemories(db) - (getSet(db, id)?.rows ?? 0)),
    kept_in,
    reason,
    bytes: kept_in === "files" ? names.reduce((sum, name) => sum + sizeOf(join(folder, name)), 0) : 0,
    mapped_bytes:
      files.reduce((sum, { region }) => sum + region.bytes.length, 0) + (graph.region?.bytes.length ?? 0),
    opened,
    work: work === "none" && graph.building ? "linking" : work,
    progress: work === "none" && graph.building ? graph.progress : progress,
    rebuilds,
    rebuilt_because,
    graph: graphStateOf(collection),
  }
}

function graphStateOf({ graph, main }: Collection): GraphState {
  const { breadth, recall, reason, progress } = graph
  const nodes = nodesOf(graph)
  const state = graph.is_usable ? "ready" : graph.building ? "building" : reason ? "refused" : "none"
  const unlinked = graph.is_usable ? unlinkedOf(graph, main) : 0
  return { state, progress: state === "ready" ? 1 : progress, nodes, unlinked, breadth, recall, reason }
}
