/** A thread that builds a graph from the mapped files into a new one, or looks whether a saved one is whole. */
import { toTrace } from "../../base/errors.ts"
import { readGraphHeader } from "../../kernel/vectors/graph-layout.ts"
import type { KernelName } from "../../kernel/vectors/kernel.ts"
import { loadVectorKernel } from "../../kernel/vectors/load.ts"
import { extend, remove } from "./flat.ts"
import { type BuildShape, buildGraph, type Measured } from "./graph-build.ts"

export type GraphJob = {
  kernel: KernelName
  /** For the library, where it has to be unpacked. */
  library_folder: string | undefined
  graph: string
  /** Undefined: `graph` is to be looked at. */
  build: { rows: string; i8: string; scales: string; shape: BuildShape } | undefined
  dim: number
}

export type GraphReport =
  | { type: "progress"; progress: number }
  | { type: "built"; measured: Measured }
  /** What is wrong with it, if anything is. */
  | { type: "checked"; fault: string | undefined; seed: number }
  | { type: "failed"; message: string; trace: string }

declare const self: Worker

const tell = (report: GraphReport): void => self.postMessage(report)

self.onmessage = ({ data }: MessageEvent<GraphJob>) => {
  try {
    if (data.build) tell(build(data, data.build))
    else tell(check(data))
  } catch (thrown) {
    tell({
      type: "failed",
      message: thrown instanceof Error ? thrown.message : String(thrown),
      trace: toTrace(thrown),
    })
  }
}

function check({ kernel: name, library_folder, graph: path, dim }: GraphJob): GraphReport {
  const kernel = loadVectorKernel(name, library_folder)
  using graph = kernel.map(path, { shared: false })
  const fault = kernel.graphCheck(graph, dim)
  return { type: "checked", fault, seed: fault === undefined ? readGraphHeader(graph).seed : 0 }
}

function build(job: GraphJob, { rows, i8, scales, shape }: NonNullable<GraphJob["build"]>): GraphReport {
  const kernel = loadVectorKernel(job.kernel, job.library_folder)
  const bytes = kernel.graphBytes(shape.capacity, shape.degree)
  remove(job.graph)
  extend(job.graph, bytes)
  using graph = kernel.map(job.graph, { shared: true, bytes })
  // Private, as where maps are copies a shared one would be written back.
  using records = kernel.map(rows, { shared: false })
  using byte_rows = kernel.map(i8, { shared: false })
  using scale_rows = kernel.map(scales, { shared: false })
  const matrix = { records, rows: byte_rows, scales: scale_rows, dim: shape.dim }
  const steps = buildGraph(kernel, graph, matrix, shape)
  for (let told = performance.now(); ; ) {
    const { done, value } = steps.next()
    if (done) {
      graph.sync()
      return { type: "built", measured: value }
    }
    if (performance.now() - told < 100) continue
    tell({ type: "progress", progress: value })
    told = performance.now()
  }
}
