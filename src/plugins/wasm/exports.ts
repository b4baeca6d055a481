/** What a module exports, and what it has to. */
import type { Engine } from "../module.ts"
import { type Cursor, ModuleRefused, readByte, readCount, readName, readU32, shownName } from "./cursor.ts"
import { type Signature, shownSignature } from "./types.ts"

/** A function's signature, or the kind of anything else and its index. */
export type Export = { signature: Signature } | { kind: "table" | "memory" | "global"; index: number }

const exports_max = 10_000
const kinds = ["function", "table", "memory", "global"] as const

/** The export section. `signatureOf` is undefined for a function that is not there. */
export function readExports(
  cursor: Cursor,
  signatureOf: (index: number) => Signature | undefined,
): Map<string, Export> {
  const count = readCount(cursor, exports_max, "exports")
  const found = new Map<string, Export>()
  for (let position = 0; position < count; position++) {
    const [name, kind, index] = [readName(cursor), kinds[readByte(cursor)], readU32(cursor)]
    if (found.has(name)) throw new ModuleRefused(`it exports ${shownName(name)} twice; the file is damaged`)
    if (kind === undefined)
      throw new ModuleRefused(`its export ${shownName(name)} is of a kind that is not taken`)
    if (kind !== "function") {
      found.set(name, { kind, index })
      continue
    }
    const signature = signatureOf(index)
    if (signature === undefined) {
      throw new ModuleRefused(
        `its export ${shownName(name)} is a function that is not there; the file is damaged`,
      )
    }
    found.set(name, { signature })
  }
  return found
}

const handler = ["ii:I"]
/** What each kind of plugin does, by the names of the ABI, version 1. */
const handlers = { tool: ["handle_tool_call"], channel: ["parse_incoming", "format_outgoing"] } as const

/** Throws where the ABI of the engine is not met. `memories` is how many the module has of its own. */
export function checkExports(
  exports: ReadonlyMap<string, Export>,
  memories: number,
  engine: Engine,
  kind: "tool" | "channel" | undefined,
): void {
  const memory = exports.get("memory")
  if (!memory || !("kind" in memory) || memory.kind !== "memory" || memory.index >= memories) {
    throw new ModuleRefused('it does not export its memory as "memory"; plugins need that')
  }
  if (engine === "wasmer") {
    const remedy = 'a program has it; a module with Weft\'s functions is a plugin of engine = "reactor"'
    checkFunction(exports, "_start", [":"], remedy)
    return
  }
  if (exports.has("_start")) throw startRefused(exports.has("weft_alloc"))
  if (exports.has("_initialize")) checkFunction(exports, "_initialize", [":"])
  checkFunction(exports, "weft_alloc", ["i:i"])
  checkFunction(exports, "describe", ["ii:I", ":I"])
  for (const name of handlersFor(exports, kind)) checkFunction(exports, name, handler)
}

/** A reactor is called more than once; what a program does when it starts would never be done. */
const startRefused = (has_abi: boolean): ModuleRefused =>
  new ModuleRefused(
    has_abi
      ? "it exports _start, which nothing calls in a reactor; build it so that this is _initialize (AssemblyScript: " +
          "--exportStart _initialize; clang: -mexec-model=reactor)"
      : 'it is a program (it exports _start); take engine = "wasmer" for it, or build it as a reactor with the ' +
          "functions of the plugin ABI (clang: -mexec-model=reactor; Rust: a cdylib)",
  )

function handlersFor(exports: ReadonlyMap<string, Export>, kind: "tool" | "channel" | undefined) {
  if (kind) return handlers[kind]
  if (exports.has("handle_tool_call")) return handlers.tool
  if (handlers.channel.some((name) => exports.has(name))) return handlers.channel
  throw new ModuleRefused(
    "it exports neither handle_tool_call, as a tool does, nor parse_incoming and format_outgoing, as a channel's " +
      "adapter does",
  )
}

function checkFunction(
  exports: ReadonlyMap<string, Export>,
  name: string,
  signatures: readonly Signature[],
  remedy = "the plugin ABI asks for it",
): void {
  const found = exports.get(name)
  const expected = signatures.map(shownSignature).join(" or ")
  if (!found) throw new ModuleRefused(`it does not export ${name} ${expected}; ${remedy}`)
  if (!("signature" in found))
    throw new ModuleRefused(`its export ${name} is a ${found.kind}, not a function`)
  if (signatures.includes(found.signature)) return
  throw new ModuleRefused(
    `its export ${name} is ${shownSignature(found.signature)}, but has to be ${expected}`,
  )
}
