import { defineCommand } from "citty"
import { chat_args } from "../args.ts"
import type { Deps } from "../deps.ts"

export const chat = (deps: Deps) =>
  defineCommand({
    meta: { name: "chat", description: "Talk to an agent in the terminal" },
    args: chat_args,
    async run({ args }) {
      const is_terminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== "dumb"
      if (is_terminal && !args.json) {
        const { chatInTerminal } = await import("../chat/terminal.ts")
        return chatInTerminal(args, deps)
      }
      const { chatInLines } = await import("../chat/lines.ts")
      await chatInLines(args, deps)
    },
  })
