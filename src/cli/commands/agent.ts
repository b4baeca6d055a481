import { defineCommand } from "citty"
import { WeftError } from "../../client/client.ts"
import { chat_args } from "../args.ts"
import { isAttended, openAttendant } from "../ask.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { abortOnInterrupt } from "../interrupt.ts"
import { note, printJson } from "../output.ts"
import { toPlace } from "../place.ts"
import { streamText } from "../stream.ts"

const wait_ms_max = 3000

export const agent = (deps: Deps) =>
  defineCommand({
    meta: { name: "agent", description: "Ask once and print the answer" },
    args: {
      message: { type: "string", alias: "m", valueHint: "text", description: "What to say" },
      ...chat_args,
    },
    async run({ args }) {
      const content = await readContent(args.message)
      await using gateway = await openGateway(args, deps)
      using interrupt = abortOnInterrupt()
      const params = {
        content,
        ...toPlace(args.session),
        ...(args.agent ? { agent: args.agent } : {}),
        ...(args.model ? { model: args.model } : {}),
      }
      using attendant =
        !args.json && isAttended() ? await openAttendant(gateway.client, interrupt) : undefined
      const chat = gateway.client.chat(params, { signal: interrupt.signal })
      if (args.json) return printJson(await chat.result)
      const stop_reason = await streamText(chat, attendant)
      if (stop_reason === "aborted") throw new WeftError("aborted", {}, "Stopped.")
      if (stop_reason === "length") note("The answer was cut at the limit of tokens (max_tokens).")
      if (stop_reason === "iterations") note("The agent stopped after its last allowed round of tools.")
    },
  })

/** `-m` and standard input may come together: the instruction first, then what it is about. */
async function readContent(message: string | undefined): Promise<string> {
  const piped = process.stdin.isTTY ? "" : (await readInput()).trimEnd()
  const content = [message, piped].filter((part) => part).join("\n\n")
  if (content === "")
    throw new UsageError("There is nothing to say: give -m TEXT, or text on standard input.")
  return content
}

/** To the end, which a shell over ssh or a job runner may never send: then somebody has to know what it waits for. */
async function readInput(): Promise<string> {
  const waiting = setTimeout(
    () => note("Reading standard input to its end; </dev/null gives none."),
    wait_ms_max,
  )
  try {
    return await Bun.stdin.text()
  } finally {
    clearTimeout(waiting)
  }
}
