import { assert } from "../../base/errors.ts"
import {
  checkBits,
  checkBytes,
  checkDim,
  checkFilter,
  checkFloats,
  checkRecords,
  checkRerank,
  checkRows,
} from "./checks.ts"
import { checkCapacity, checkCopy, checkGraphSearch, checkNodes, checkShape } from "./graph-layout.ts"
import type { VectorKernel } from "./kernel.ts"
import { binarise, scanBits } from "./reference-bits.ts"
import { embedReference } from "./reference-embed.ts"
import { graphBytes, graphCheck, graphCopy, graphInit, graphOf } from "./reference-graph.ts"
import { graphInsert, graphRemove } from "./reference-links.ts"
import { allocateArray, readIntoArray } from "./reference-memory.ts"
import { digestRecords, filterRows } from "./reference-rows.ts"
import { quantise, rerank, scanF32, scanMany } from "./reference-scan.ts"
import { graphSearch } from "./reference-walk.ts"

/** What is not worth its bytes as WebAssembly: it does not wait for the processor, or is seldom done. */
export const unhurried: Pick<
  VectorKernel,
  "embed" | "graphBytes" | "graphInit" | "graphCheck" | "graphCopy"
> = {
  embed(texts, dim, common) {
    checkDim(dim)
    return embedReference(texts, dim, common)
  },
  graphBytes(capacity, degree) {
    checkCapacity(capacity, degree)
    return graphBytes(capacity, degree)
  },
  graphInit(graph, shape) {
    checkShape(shape)
    assert(graph.bytes.length >= graphBytes(shape.capacity, shape.degree), "the region holds the graph")
    graphInit(graph, shape)
  },
  graphCheck,
  graphCopy(from, moved, to) {
    checkCopy(from, moved)
    return graphCopy(from, moved, to)
  },
}

/** The kernel in TypeScript: what the others are held to, and what is there where neither of them can be loaded. */
export function openReferenceKernel(): VectorKernel {
  return {
    name: "reference",
    allocate: allocateArray,
    map: readIntoArray,
    quantise(rows, dim) {
      return quantise(rows, checkRows(rows, dim), dim)
    },
    scanF32(query, rows, n, allow, k) {
      checkFloats(query, rows, n, allow, k)
      return scanF32(query, rows, n, allow, k)
    },
    scanI8(query, matrix, n, allow, k) {
      assert(checkBytes(query, matrix, n, allow, k) === 1, "one query")
      return scanMany(query, 1, matrix, n, allow, k)[0]!
    },
    scanBits(query, rows, n, words, allow, k) {
      checkBits(query, rows, n, words, allow, k)
      return scanBits(query, rows, n, words, allow, k)
    },
    scanMany(queries, matrix, n, allow, k) {
      return scanMany(queries, checkBytes(queries, matrix, n, allow, k), matrix, n, allow, k)
    },
    rerank(query, rows, from, k) {
      checkRerank(query, rows, from, k)
      return rerank(query, rows, from, k)
    },
    binarise(rows, dim, mean, seed) {
      const n = checkRows(rows, dim)
      assert(mean === undefined || mean.length === dim, "the mean is a row")
      return binarise(rows, n, dim, mean, seed)
    },
    filter(rows, n, filter, allow) {
      checkFilter(rows, n, allow)
      return filterRows(rows, n, filter, allow)
    },
    digest(records, bytes, first, sum) {
      return digestRecords(records, checkRecords(records, bytes, first), bytes, first, sum)
    },
    ...unhurried,
    graphInsert(graph, matrix, nodes, keys) {
      checkNodes(graph, matrix, nodes)
      assert(nodes.length === keys.length, "every node has a key")
      return graphInsert(graphOf(graph), matrix, nodes, keys)
    },
    graphRemove(graph, matrix, nodes) {
      checkNodes(graph, matrix, nodes)
      return graphRemove(graphOf(graph), matrix, nodes)
    },
    graphSearch(graph, matrix, query, k, breadth, allow) {
      checkGraphSearch(graph, matrix, query, k, breadth, allow)
      return graphSearch(graphOf(graph), matrix, query, k, breadth, allow)
    },
  }
}
