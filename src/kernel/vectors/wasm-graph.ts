/** The calls that have to do with graphs. */
import { assert } from "../../base/errors.ts"
import { breadth_max } from "./checks.ts"
import { checkGraphSearch, checkNodes, readGraphHeader } from "./graph-layout.ts"
import { type Region, strideOf, type VectorKernel } from "./kernel.ts"
import type { Calls } from "./wasm-calls.ts"
import { inFrame } from "./wasm-frames.ts"
import type { Heap } from "./wasm-memory.ts"

type GraphCalls = Pick<VectorKernel, "graphInsert" | "graphRemove" | "graphSearch">

export function graphCalls(calls: Calls, heap: Heap, of: (region: Region) => number): GraphCalls {
  const scratch = openScratch(calls, heap)
  return {
    graphInsert(graph, matrix, nodes, keys) {
      checkNodes(graph, matrix, nodes)
      assert(nodes.length === keys.length, "every node has a key")
      return inFrame(heap, [nodes, keys], (_, [nodes_at, keys_at]) =>
        calls.kernel_graph_insert(
          of(graph),
          of(matrix.rows),
          of(matrix.scales),
          nodes_at!,
          keys_at!,
          nodes.length,
          scratch(graph),
        ),
      )
    },
    graphRemove(graph, matrix, nodes) {
      checkNodes(graph, matrix, nodes)
      return inFrame(heap, [nodes], (_, [nodes_at]) =>
        calls.kernel_graph_remove(
          of(graph),
          of(matrix.rows),
          of(matrix.scales),
          nodes_at!,
          nodes.length,
          scratch(graph),
        ),
      )
    },
    graphSearch(graph, matrix, query, k, breadth, allow) {
      checkGraphSearch(graph, matrix, query, k, breadth, allow)
      return inFrame(heap, [query, allow], (frame, [query_at, allow_at]) => {
        const quantised = frame.bytes(strideOf(matrix.dim))
        const scale = frame.floats(1)
        calls.kernel_quantise(query_at!, 1, matrix.dim, quantised.at, scale.at)
        const query_scale = scale.read()[0]!
        return frame.found(k, 1, (ids, scores) =>
          calls.kernel_graph_search(
            of(graph),
            of(matrix.rows),
            of(matrix.scales),
            quantised.at,
            query_scale,
            k,
            breadth,
            allow_at!,
            ids,
            scores,
            scratch(graph),
          ),
        )[0]!
      })
    },
  }
}

/** One for all graphs: of any content, and as large as the largest needs. */
function openScratch(calls: Calls, heap: Heap): (graph: Region) => number {
  let held = { at: 0, bytes: 0 }
  return (graph) => {
    const { capacity, dim } = readGraphHeader(graph)
    const bytes = Number(calls.kernel_scratch_bytes(capacity, dim, breadth_max))
    if (bytes > held.bytes) {
      if (held.bytes > 0) heap.give(held.at, held.bytes)
      held = { at: heap.take(bytes), bytes }
      new Uint8Array(heap.memory.buffer, held.at, bytes).fill(0)
    }
    return held.at
  }
}
