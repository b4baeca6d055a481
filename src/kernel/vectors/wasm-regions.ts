/** Regions in the module's memory. */
import { assert } from "../../base/errors.ts"
import type { MapOptions, Region } from "./kernel.ts"
import { readFileInto, sizeOfMap, writeBack } from "./reference-memory.ts"
import type { Heap } from "./wasm-memory.ts"

export type Regions = {
  allocate(bytes: number): Region
  map(path: string, options: MapOptions): Region
  addressOf(region: Region): number
}

export function openRegions(heap: Heap): Regions {
  const blocks = new WeakMap<Region, { at: number }>()

  function make(size: number, write: ((bytes: Uint8Array) => void) | undefined): Region {
    const block = { at: heap.take(size) }
    let length = size
    let view = new Uint8Array(heap.memory.buffer, block.at, length)
    const look = () => {
      // Memory that has grown is another buffer.
      if (view.buffer !== heap.memory.buffer || view.byteOffset !== block.at || view.length !== length)
        view = new Uint8Array(heap.memory.buffer, block.at, length)
      return view
    }
    look().fill(0)
    const region: Region = {
      get bytes() {
        return look()
      },
      resize(wanted) {
        const at = heap.take(wanted)
        const moved = new Uint8Array(heap.memory.buffer, at, wanted)
        moved.fill(0).set(look().subarray(0, wanted))
        heap.give(block.at, length)
        block.at = at
        length = wanted
        write?.(look())
      },
      sync() {
        assert(write, "only a shared map can be written")
        write(look())
      },
      [Symbol.dispose]() {
        if (!blocks.delete(region)) return
        write?.(look())
        heap.give(block.at, length)
        length = 0
      },
    }
    blocks.set(region, block)
    return region
  }

  return {
    allocate: (bytes) => make(bytes, undefined),
    map(path, options) {
      const size = sizeOfMap(path, options)
      const region = make(size, options.shared ? (bytes) => writeBack(path, bytes) : undefined)
      readFileInto(path, region.bytes)
      return region
    },
    addressOf(region) {
      const block = blocks.get(region)
      assert(block, "a region is of the kernel that computes with it, and not given back")
      return block.at
    },
  }
}
