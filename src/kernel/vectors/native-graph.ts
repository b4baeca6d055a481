/** The graphs of the native library. */
import { assert } from "../../base/errors.ts"
import type { Kernel } from "../library.ts"
import { breadth_max } from "./checks.ts"
import {
  checkCapacity,
  checkCopy,
  checkGraphSearch,
  checkNodes,
  checkShape,
  readGraphHeader,
} from "./graph-layout.ts"
import { type Region, strideOf, type VectorKernel } from "./kernel.ts"
import { addressOf } from "./native-memory.ts"

type GraphCalls = Pick<VectorKernel, Extract<keyof VectorKernel, `graph${string}`>>

export function nativeGraph(library: Kernel): GraphCalls {
  const scratchFor = openScratch(library)
  const graphBytes = (capacity: number, degree: number) => {
    checkCapacity(capacity, degree)
    return Number(library.kernel_graph_bytes(capacity, degree))
  }
  return {
    graphBytes,
    graphInit(graph, shape) {
      checkShape(shape)
      const { capacity, dim, degree, breadth, seed } = shape
      assert(graph.bytes.length >= graphBytes(capacity, degree), "the region holds the graph")
      library.kernel_graph_init(addressOf(graph), capacity, dim, degree, breadth, seed)
    },
    graphCheck(graph, dim) {
      const wrong = library.kernel_graph_check(addressOf(graph), graph.bytes.length, dim)
      return wrong === 0 ? undefined : `line ${wrong} of native/graph.h refused it`
    },
    graphInsert(graph, matrix, nodes, keys) {
      checkNodes(graph, matrix, nodes)
      assert(nodes.length === keys.length && !keys.includes(0), "every node has a key, which is not 0")
      const rows = addressOf(matrix.rows)
      const scales = addressOf(matrix.scales)
      const scratch = scratchFor(graph)
      return library.kernel_graph_insert(addressOf(graph), rows, scales, nodes, keys, nodes.length, scratch)
    },
    graphRemove(graph, matrix, nodes) {
      checkNodes(graph, matrix, nodes)
      const rows = addressOf(matrix.rows)
      const scales = addressOf(matrix.scales)
      return library.kernel_graph_remove(
        addressOf(graph),
        rows,
        scales,
        nodes,
        nodes.length,
        scratchFor(graph),
      )
    },
    graphSearch(graph, matrix, query, k, breadth, allow) {
      checkGraphSearch(graph, matrix, query, k, breadth, allow)
      const bytes = new Int8Array(strideOf(matrix.dim))
      const scale = new Float32Array(1)
      library.kernel_quantise(query, 1, matrix.dim, bytes, scale)
      const ids = new Uint32Array(k)
      const scores = new Float32Array(k)
      const count = library.kernel_graph_search(
        addressOf(graph),
        addressOf(matrix.rows),
        addressOf(matrix.scales),
        bytes,
        scale[0]!,
        k,
        breadth,
        allow ?? null,
        ids,
        scores,
        scratchFor(graph),
      )
      return count === k ? { ids, scores } : { ids: ids.slice(0, count), scores: scores.slice(0, count) }
    },
    graphCopy(from, moved, to) {
      checkCopy(from, moved)
      return library.kernel_graph_copy(addressOf(from), moved ?? null, addressOf(to)) === 0
    },
  }
}

/** One for all graphs, as large as the largest needs. */
function openScratch(library: Kernel): (graph: Region) => Uint8Array {
  let scratch = new Uint8Array(0)
  let capacity_max = 0
  return (graph) => {
    const { capacity, dim } = readGraphHeader(graph)
    if (capacity <= capacity_max) return scratch
    const bytes = Number(library.kernel_scratch_bytes(capacity, dim, breadth_max))
    scratch = new Uint8Array(new ArrayBuffer(bytes))
    capacity_max = capacity
    return scratch
  }
}
