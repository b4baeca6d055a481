import { defineCommand } from "citty"
import type { Deps } from "../deps.ts"
import type { AnyCommand } from "../find-command.ts"

/** Each group of its commands is loaded when one of them is called. */
export const plugin = (deps: Deps): AnyCommand =>
  defineCommand({
    meta: { name: "plugin", description: "Tools and channels of others, each behind its own wall" },
    subCommands: {
      new: async () => (await import("../plugin/new.ts")).create(),
      build: async () => (await import("../plugin/build.ts")).build(),
      check: async () => (await import("../plugin/check.ts")).check(),
      call: async () => (await import("../plugin/call.ts")).call(deps),
      list: async () => (await import("../plugin/service.ts")).list(deps),
      load: async () => (await import("../plugin/service.ts")).load(deps),
      unload: async () => (await import("../plugin/service.ts")).unload(deps),
    },
  })
