import type { VectorKernel } from "../kernel/vectors/kernel.ts"
import type { Memory } from "./memory.ts"
import type { MemorySettings, ServiceOptions } from "./service.ts"

export type MemoryOptions = Omit<ServiceOptions, "kernel"> & {
  /** Of the configuration by then; asked for when the memory is first used. */
  settings(kernel: VectorKernel): MemorySettings
  /** The engine of vectors, as `loadVectorKernel` names it; undefined for the best there is. */
  kernel: string | undefined
}

/** What a process keeps: the memory, loaded at its first use, so that a start does not pay for it. */
export type OpenedMemory = {
  /** Loads it. Throws what keeps it from being opened, each time anew. */
  ready(): Promise<Memory>
  /** After the configuration has become another one. */
  configure(): void
  /** What commits deleted is taken out of the files as well; nothing where the memory is not loaded. */
  settle(): void
  /** Until nothing is left to do in the background. */
  idle(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export function openMemory({ settings, kernel, ...options }: MemoryOptions): OpenedMemory {
  type Service = Awaited<ReturnType<typeof import("./service.ts")["openMemoryService"]>>
  let opening: Promise<Service> | undefined
  let opened: { service: Service; engine: VectorKernel } | undefined
  let is_over = false
  const open = async () => {
    const [{ openMemoryService }, { loadVectorKernel, parseKernelName }] = await Promise.all([
      import("./service.ts"),
      import("../kernel/vectors/load.ts"),
    ])
    const engine = loadVectorKernel(kernel === undefined ? undefined : parseKernelName(kernel))
    const service = await openMemoryService({ ...options, kernel: engine }, settings(engine))
    opened = { service, engine }
    return service
  }
  const ready = () => {
    if (is_over) throw new Error("the memory is closed")
    opening ??= open().catch((thrown) => {
      opening = undefined
      throw thrown
    })
    return opening
  }
  return {
    ready,
    configure() {
      if (opened) opened.service.configure(settings(opened.engine))
    },
    settle: () => opened?.service.settle(),
    async idle() {
      await (await ready()).idle()
    },
    async [Symbol.asyncDispose]() {
      is_over = true
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}
