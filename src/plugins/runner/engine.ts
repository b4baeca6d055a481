import type { Call, Done, FailureKind, Load } from "../frames.ts"
import type { Folder } from "../packing.ts"

/** The guest gave no output, for a reason of its own. The message is for whoever called, models included. */
export class GuestFailed extends Error {
  override name = "GuestFailed"
  readonly kind: FailureKind
  stdout = ""
  stderr = ""

  constructor(kind: FailureKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** Asks the gateway and waits. `error` is one of `host_errors`, or 0. */
export type AskHost = (name: string, argument: Uint8Array) => { error: number; bytes: Uint8Array }

/** A call as an engine gets it. */
export type GuestCall = Omit<Call, "folders" | "input_bytes"> & { folders?: Folder[] }

export type Output = {
  header: Omit<Done, "folders" | "output_bytes">
  body: Uint8Array
  /** As in `Done`; within `folder_limits`. */
  folders?: Folder[]
}

/** A module that is ready to be called; nothing of one call is there in the next. */
export type Loaded = {
  /** Throws GuestFailed. */
  call(call: GuestCall, input: Uint8Array): Output | Promise<Output>
  /** Clears away what calls left behind, once the answer has been sent and nobody waits for it. */
  settle?(): void
}

/** Compiles a prepared module. Throws GuestFailed. */
export type LoadEngine = (load: Load, module: Uint8Array, ask: AskHost) => Loaded | Promise<Loaded>
