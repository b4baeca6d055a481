import { defineCommand } from "citty"
import { toTrace } from "../../base/errors.ts"
import { findHome } from "../../config/home.ts"
import { home_args, json_arg, logLevel } from "../args.ts"
import type { Deps, Gateway, GatewayFlags } from "../deps.ts"
import { UsageError } from "../find-command.ts"
import { note, notes, printJson } from "../output.ts"

export const gateway = (deps: Deps) =>
  defineCommand({
    meta: { name: "gateway", description: "Run the gateway until it is told to stop" },
    args: {
      port: { type: "string", description: "Port to listen on; 0 picks a free one" },
      bind: { type: "string", valueHint: "address", description: "Address to listen on" },
      auth: { type: "enum", options: ["token", "none"], description: "Whether clients need a token" },
      ...home_args,
      ...json_arg,
    },
    async run({ args }) {
      const { home } = findHome(args)
      const running = await deps.startGateway({
        home,
        ...(args.config ? { config_path: args.config } : {}),
        flags: { gateway: toFlags(args) },
        log_level: logLevel(notes.isTTY ? "warn" : "info"),
      })
      using _signals = stopOnSignals(running)
      if (args.json) await printJson({ url: running.url, home: running.home, pid: process.pid })
      else if (notes.isTTY) note(welcome(running))
      await running.closed
    },
  })

type Typed = { port?: string | undefined; bind?: string | undefined; auth?: string | undefined }

function toFlags({ port, bind, auth }: Typed): GatewayFlags {
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new UsageError("--port needs a number from 0 to 65535.")
  return {
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(bind === undefined ? {} : { bind }),
    ...(auth === undefined ? {} : { auth }),
  }
}

/** The first signal lets running turns end, the second one does not wait for them. */
function stopOnSignals(running: Gateway): Disposable {
  let is_draining = false
  const stop = () => {
    const how = is_draining ? "now" : "drain"
    if (!is_draining && notes.isTTY) note("\nStopping; running turns may end. Once more stops at once.")
    is_draining = true
    running.stop(how).catch((thrown) => {
      note(toTrace(thrown))
      process.exit(70)
    })
  }
  const signals = ["SIGTERM", "SIGINT"] as const
  for (const signal of signals) process.on(signal, stop)
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, stop)
    },
  }
}

const welcome = ({ url, home, model }: Gateway) => `
Weft is running on ${url}, and ${model} answers.

In another terminal:
${shellLine(home)}
  weft chat            talk to it
  weft open            an address for the control page
  weft token create    access for a program (docs/guides/websocket.md)

${model.startsWith("offline/") ? "That is no model yet. Set a key and start again, as in: ANTHROPIC_API_KEY=… weft gateway\n" : ""}Configuration and conversations are in ${home}. Ctrl-C stops.
`

/**
 * What the other terminal has to be told first: where the home is, if not in its usual place, and, from the sources,
 * what `weft` is.
 */
function shellLine(home: string): string {
  const usual = findHome({}, { HOME: process.env.HOME }).home
  const variable = home === usual ? "" : `WEFT_HOME="${home}" `
  if (Bun.isStandaloneExecutable) return variable && `\n  export ${variable}`
  const words = [process.execPath, ...process.execArgv, Bun.main].map((word) => `"${word}"`)
  return `\n  alias weft='${variable}${words.join(" ")}'`
}
