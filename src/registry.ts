/** Everything that can be added to the program, by name. The one list to edit. */
import { agentSection, agentsSection, budgetsSection } from "./agent/config.ts"
import { use_tools_name } from "./agent/toolbox.ts"
import { channelsSection, secretsSection } from "./channels/config.ts"
import { schemes } from "./channels/schemes.ts"
import type { ConfigOf } from "./config/section.ts"
import { bindingsSection, gatewaySection } from "./gateway/config.ts"
import { agentGet, agentList } from "./gateway/methods/agent.ts"
import { approvalList, approvalResolve, approvalRevoke } from "./gateway/methods/approval.ts"
import { chatAbort, chatAttach, chatHistory, chatSend, turnRate } from "./gateway/methods/chat.ts"
import { configGet } from "./gateway/methods/config.ts"
import { connect, ping, rpcDiscover, status } from "./gateway/methods/connection.ts"
import { eventSubscribe, eventUnsubscribe } from "./gateway/methods/event.ts"
import {
  memoryAdd as memoryAddMethod,
  memoryCheck,
  memoryExplain,
  memoryForget as memoryForgetMethod,
  memoryList,
  memoryReindex,
  memorySearch as memorySearchMethod,
  memoryStats,
} from "./gateway/methods/memory.ts"
import { memoryExport, memoryImport } from "./gateway/methods/memory-transfer.ts"
import { pluginList, pluginLoad, pluginUnload } from "./gateway/methods/plugin.ts"
import {
  sessionDelete,
  sessionExport,
  sessionGet,
  sessionList,
  sessionPatch,
  sessionReset,
  sessionSearch,
} from "./gateway/methods/session.ts"
import { tokenCode, tokenCreate, tokenExchange, tokenList, tokenRevoke } from "./gateway/methods/token.ts"
import { toolCall, toolCalls, toolList } from "./gateway/methods/tool.ts"
import { usageGet } from "./gateway/methods/usage.ts"
import { memorySection } from "./memory/config.ts"
import { pluginsSection, runnersSection } from "./plugins/config.ts"
import { anthropic } from "./providers/anthropic.ts"
import { providersSection } from "./providers/config.ts"
import { google } from "./providers/google.ts"
import { offline } from "./providers/offline.ts"
import { openai } from "./providers/openai.ts"
import { openaiCompatible } from "./providers/openai-compatible.ts"
import { presets } from "./providers/table.ts"
import { effects } from "./security/target.ts"
import { retentionSection } from "./store/config.ts"
import { toolsSection } from "./tools/config.ts"
import { currentTime } from "./tools/current-time.ts"
import { editFile } from "./tools/edit-file.ts"
import { exec } from "./tools/exec.ts"
import { listDir } from "./tools/list-dir.ts"
import { memoryAdd } from "./tools/memory-add.ts"
import { memoryForget } from "./tools/memory-forget.ts"
import { memorySearch } from "./tools/memory-search.ts"
import { readFile } from "./tools/read-file.ts"
import { readResult } from "./tools/read-result.ts"
import { searchFiles } from "./tools/search-files.ts"
import { sessionSearch as sessionSearchTool } from "./tools/session-search.ts"
import { webFetch } from "./tools/web-fetch.ts"
import { webSearch } from "./tools/web-search.ts"
import { writeFile } from "./tools/write-file.ts"

export const sections = [
  gatewaySection,
  agentSection,
  agentsSection,
  providersSection,
  pluginsSection,
  runnersSection,
  bindingsSection,
  channelsSection,
  secretsSection,
  toolsSection,
  budgetsSection,
  memorySection,
  retentionSection,
] as const

export type Config = ConfigOf<typeof sections>

export const methods = [
  connect,
  ping,
  rpcDiscover,
  status,
  chatSend,
  chatAbort,
  chatAttach,
  chatHistory,
  turnRate,
  sessionList,
  sessionGet,
  sessionReset,
  sessionDelete,
  sessionPatch,
  sessionExport,
  sessionSearch,
  agentList,
  agentGet,
  toolList,
  toolCall,
  toolCalls,
  pluginList,
  pluginLoad,
  pluginUnload,
  memorySearchMethod,
  memoryList,
  memoryAddMethod,
  memoryForgetMethod,
  memoryExplain,
  memoryStats,
  memoryReindex,
  memoryCheck,
  memoryExport,
  memoryImport,
  usageGet,
  configGet,
  tokenList,
  tokenCreate,
  tokenRevoke,
  tokenCode,
  tokenExchange,
  approvalList,
  approvalResolve,
  approvalRevoke,
  eventSubscribe,
  eventUnsubscribe,
]

export const tools = [
  readFile,
  writeFile,
  editFile,
  listDir,
  searchFiles,
  exec,
  webFetch,
  webSearch,
  currentTime,
  sessionSearchTool,
  memorySearch,
  memoryAdd,
  memoryForget,
  readResult,
]

export const providers = [anthropic, openai, openaiCompatible, google, offline]

const groups = tools.flatMap((tool) => ("group" in tool ? [tool.group] : []))
const tool_names = [...tools.map(({ name }) => name), ...new Set(groups), "*"]

/** Names that no plugin and none of its tools may have. */
export const reserved_names = [...tool_names, use_tools_name, "none", ...effects]

/** What a configuration may name without declaring it. */
export const names = {
  tools: tool_names,
  subjects: [...tool_names, ...effects],
  providers: Object.keys(presets),
  signatures: schemes,
}
