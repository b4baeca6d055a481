import { textOf } from "../base/parts.ts"
import { addChunk } from "../providers/provider.ts"
import type { UsageRecord } from "../store/usage.ts"
import type { Agent } from "./agents.ts"
import { callModel, type Models, nameOf } from "./model.ts"

export type Asked = { text: string; made_by: string; usage: UsageRecord }

/** Of an answer that nobody waits for. */
const tokens_max = 1500

/**
 * Asks an agent's model beside its conversations: no tools, no session. Undefined where there is no model but the one
 * that only repeats. Throws as `callModel` does.
 */
export async function askModel(
  models: Models,
  agent: Agent,
  prompt: { system: string; user: string },
  { signal, now_ms }: { signal: AbortSignal; now_ms(): number },
): Promise<Asked | undefined> {
  const chain = agent.chain
    .filter(({ provider }) => provider !== "offline")
    .map((choice) => ({ ...choice, tokens_max: Math.min(choice.tokens_max, tokens_max) }))
  if (chain.length === 0) return undefined
  const readFile = async () => {
    throw new Error("there are no files in such a question")
  }
  const messages = [{ role: "user" as const, parts: [{ type: "text" as const, text: prompt.user }] }]
  const request = { system: prompt.system, messages, tools: [], readFile, signal }
  const answer = { parts: [] as Parameters<typeof addChunk>[0], choice: chain[0]! }
  for await (const chunk of callModel({ models, chain, revocable: true, request })) {
    if (chunk.type === "retry" || chunk.type === "failover") {
      answer.parts = []
      continue
    }
    addChunk(answer.parts, chunk)
    if (chunk.type !== "done") continue
    const choice = chunk.choice ?? answer.choice
    const { input_tokens, output_tokens, cached_tokens } = chunk.usage
    return {
      text: textOf(answer.parts),
      made_by: nameOf(choice),
      usage: {
        turn_id: "",
        session_key: null,
        agent: agent.id,
        provider: choice.provider,
        model: choice.model,
        input_tokens,
        output_tokens,
        cached_tokens,
        cost_usd: models.cost(choice, chunk.usage),
        created_ms: now_ms(),
      },
    }
  }
  throw new Error("the model's answer has no end")
}
