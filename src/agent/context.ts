/** What a call may reach: while it is looked at nothing but reading, while it runs what was decided. */
import { type Target, ToolDenied } from "../security/target.ts"
import type { Store } from "../store/open.ts"
import { findResult } from "../store/tool-results.ts"
import type { AnyTool, ToolContext } from "../tools/tool.ts"
import type { Agent } from "./agents.ts"
import { hashOf } from "./approvals.ts"
import { permitOf } from "./gate.ts"
import { type Hands, no_hands, openHands } from "./hands.ts"
import { type MemoryDeps, searchSessions, toToolMemory } from "./memory.ts"

/** Whose call it is. */
export type CallOf = {
  agent: Agent
  session_key: string | null
  turn_id: string | null
  signal: AbortSignal
}

type Deps = MemoryDeps & { store: Store; now_ms(): number }

/** All that the call would do. */
export async function lookAt(tool: AnyTool, params: unknown, of: CallOf, deps: Deps): Promise<Target[]> {
  if (!tool.targets) {
    // What is allowed for longer is allowed for this input only: nothing else is known of what it does.
    const note = `with the input of sha256 ${hashOf(params)}`
    return [{ effect: tool.effect as Target["effect"], kind: "text", text: tool.name, note }]
  }
  // To look is to read: a script that would run is hashed, nothing else is touched.
  const refuse = () => {
    throw new ToolDenied("Nothing is done before it is decided.")
  }
  const permit = ({ effect }: Target) => effect === "read" || refuse()
  await using hands = await openHands(of.agent.walls, permit, () => false)
  const context = toContext(hands, permit, of, deps)
  // Awaited here: what it reads with is closed when this is over.
  return await tool.targets(params, { ...context, execute: refuse })
}

/** For a tool that says that it has no effect. */
export const contextWithout = ({ name }: AnyTool, of: CallOf, deps: Deps): ToolContext =>
  toContext(no_hands, permitOf(name, of.agent.walls.rules, []), of, deps)

/** What the tool may reach while it runs: what the rules allow, and of what they would ask about only what was allowed. */
export async function contextFor(
  tool: AnyTool,
  asked: readonly Target[],
  of: CallOf,
  deps: Deps,
): Promise<AsyncDisposable & { value: ToolContext }> {
  const { rules, config, files } = of.agent.walls
  const permitted = permitOf(tool.name, rules, asked, files.workspace)
  let is_over = false
  // What goes on after an abort has no effect any more.
  const permit = (target: Target) => {
    if (is_over) throw new ToolDenied("The call is over.")
    permitted(target)
  }
  const hands = await openHands(
    of.agent.walls,
    permit,
    (host, port) =>
      rules.isOpened(host, port, tool.name) ||
      isMeant(asked, host, port) ||
      tool.opens?.(host, port, config) === true,
  )
  return {
    value: toContext(hands, permit, of, deps),
    [Symbol.asyncDispose]() {
      is_over = true
      return hands[Symbol.asyncDispose]()
    },
  }
}

/** Whoever allowed a literal address saw which one; a name may lead anywhere by the time it is looked up. */
const isMeant = (asked: readonly Target[], host: string, port: number): boolean =>
  (/^[\d.]+$|^\[[\da-f:.]+\]$/i.test(host) || host === "localhost") &&
  asked.some(({ kind, text }) => kind === "host" && text === `${host}:${port}`)

function toContext(hands: Hands, permit: (target: Target) => void, of: CallOf, deps: Deps): ToolContext {
  const { store, now_ms } = deps
  const { agent, session_key, turn_id, signal } = of
  return {
    agent: agent.id,
    session_key: session_key ?? "",
    signal,
    now_ms,
    config: agent.walls.config,
    searchSessions: searchSessions(of, deps),
    memory: toToolMemory(of, deps),
    findResult: (handle) => findResult(store.db, session_key ?? turn_id ?? "", handle),
    mayTouch: (target) => isPermitted(() => permit(target)),
    get files() {
      return hands.files
    },
    openFolder: hands.openFolder,
    fetch: hands.fetch,
    execute: hands.execute,
    findProgram: hands.findProgram,
  }
}

function isPermitted(check: () => void): boolean {
  try {
    check()
    return true
  } catch (thrown) {
    if (thrown instanceof ToolDenied) return false
    throw thrown
  }
}
