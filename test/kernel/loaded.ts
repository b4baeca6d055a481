/** Tells how the native files of an executable are loaded, and that the helper can be executed. */
import { openBeneath } from "../../src/kernel/beneath.ts"
import { launcher } from "../../src/kernel/launcher.ts"
import { loadKernel } from "../../src/kernel/library.ts"

const start = await launcher("/nowhere")
// Without a word it ends with 1.
const status = "argv" in start ? Bun.spawnSync(start.argv).exitCode : undefined
console.log(JSON.stringify({ kernel: loadKernel().how, beneath: openBeneath().how, start, status }))
