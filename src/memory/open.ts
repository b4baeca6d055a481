import type { VectorKernel } from "../kernel/vectors/kernel.ts"
import type { openHashEmbedder } from "./embed/hash.ts"
import type { openRemoteEmbedder } from "./embed/remote.ts"
import type { Memory } from "./memory.ts"
import type { MemorySettings, ServiceOptions } from "./service.ts"

/** What is loaded with the memory, and not before. */
export type MemoryEngine = {
  kernel: VectorKernel
  openHashEmbedder: typeof openHashEmbedder
  openRemoteEmbedder: typeof openRemoteEmbedder
}

export type MemoryOptions = Omit<ServiceOptions, "kernel"> & {
  /** Of the configuration by then; asked for when the memory is first used. */
  settings(engine: MemoryEngine): MemorySettings
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
  settle(): Promise<void>
  /** Until nothing is left to do in the background. */
  idle(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export function openMemory({ settings, kernel, ...options }: MemoryOptions): OpenedMemory {
  type Service = Awaited<ReturnType<typeof import("./service.ts")["openMemoryService"]>>
  let opening: Promise<Service> | undefined
  let opened: { service: Service; engine: MemoryEngine } | undefined
  let is_over = false
  const open = async () => {
    const [{ openMemoryService }, { loadVectorKernel, parseKernelName }, hash, remote] = await Promise.all([
      import("./service.ts"),
      import("../kernel/vectors/load.ts"),
      import("./embed/hash.ts"),
      import("./embed/remote.ts"),
    ])
    const loaded = loadVectorKernel(kernel === undefined ? undefined : parseKernelName(kernel))
    const { openHashEmbedder } = hash
    const { openRemoteEmbedder } = remote
    const engine = { kernel: loaded, openHashEmbedder, openRemoteEmbedder }
    const service = await openMemoryService({ ...options, kernel: loaded }, settings(engine))
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
    settle: async () => await opened?.service.settle(),
    async idle() {
      await (await ready()).idle()
    },
    async [Symbol.asyncDispose]() {
      is_over = true
      await (await opening?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}
