import { createInterface } from "node:readline"
import type { ChatResult } from "../../client/client.ts"
import { openGateway } from "../connect.ts"
import type { Deps } from "../deps.ts"
import { printJson, printResult } from "../output.ts"
import { streamText } from "../stream.ts"
import { type ChatArgs, openTalk, runCommand, say } from "./talk.ts"

/** A chat without a terminal: each line of standard input is a message, each answer is plain text. */
export async function chatInLines(args: ChatArgs, deps: Deps): Promise<void> {
  await using gateway = await openGateway(args, deps)
  const talk = openTalk(args)
  const results: ChatResult[] = []
  const stop = new AbortController()
  for await (const content of readMessages()) {
    const told = await runCommand(gateway.client, talk, content)
    if (told === "quit") break
    if (told !== undefined) {
      if (!args.json) await printResult(told)
      continue
    }
    const chat = say(gateway.client, talk, content, stop.signal)
    if (args.json) results.push(await chat.result)
    else await streamText(chat)
  }
  if (args.json) await printJson(results)
}

/** Lines, of which one that ends in "\" goes on in the next. */
async function* readMessages(): AsyncGenerator<string> {
  let message = ""
  for await (const line of createInterface({ input: process.stdin })) {
    message += line
    if (message.endsWith("\\")) {
      message = `${message.slice(0, -1)}\n`
      continue
    }
    if (message.trim() !== "") yield message
    message = ""
  }
  if (message.trim() !== "") yield message.trimEnd()
}
