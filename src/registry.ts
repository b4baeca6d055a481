/** Everything that can be added to the program, by name. The one list to edit. */
import { agentSection, agentsSection, budgetsSection } from "./agent/config.ts"
import { channelsSection, secretsSection } from "./channels/config.ts"
import type { ConfigOf } from "./config/section.ts"
import { bindingsSection, gatewaySection } from "./gateway/config.ts"
import { memorySection } from "./memory/config.ts"
import { pluginsSection } from "./plugins/config.ts"
import { providersSection } from "./providers/config.ts"
import { retentionSection } from "./store/config.ts"

export const sections = [
  gatewaySection,
  agentSection,
  agentsSection,
  providersSection,
  pluginsSection,
  bindingsSection,
  channelsSection,
  secretsSection,
  budgetsSection,
  memorySection,
  retentionSection,
] as const

export type Config = ConfigOf<typeof sections>
