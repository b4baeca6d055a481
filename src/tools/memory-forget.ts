import { Type } from "@sinclair/typebox"
import { toLine } from "./remembered.ts"
import { defineTool } from "./tool.ts"

export const memoryForget = defineTool({
  name: "memory_forget",
  description: "Forget memories for good; without `sure` it only shows them.",
  effect: "none",
  group: "memory",
  deferred: true,
  exclusive: true,
  params: Type.Object(
    {
      ids: Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
        minItems: 1,
        maxItems: 50,
        description: "As memory_search shows them.",
      }),
      sure: Type.Boolean({ default: false, description: "The user saw them and wants that." }),
    },
    { additionalProperties: false },
  ),
  async run({ ids, sure }, { memory }) {
    const found = await memory.find(ids)
    if (found.length === 0) throw new Error("None of these is this user's to forget. Search for them first.")
    if (!sure) {
      const what = "This would be forgotten for good, with the text of the messages it is from:"
      return [what, ...found.map(toLine), "Call again with sure = true if the user wants that."].join("\n")
    }
    const { forgotten, related } = await memory.forget(found.map(({ id }) => id))
    const said = `Forgotten: ${forgotten} of ${ids.length}.`
    if (related.length === 0) return said
    return [
      said,
      "These still have the same words; nothing of them was touched:",
      ...related.map(toLine),
    ].join("\n")
  },
})
