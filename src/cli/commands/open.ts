import type { Deps } from "../deps.ts"
import { gatewayCommand } from "../gateway-command.ts"

export const open = (deps: Deps) =>
  gatewayCommand(deps, {
    name: "open",
    description: "Print an address that signs a browser in to the control page, once, within a minute",
    start: false,
    async ask(client, _args, url) {
      const { code, expires_ms } = await client.call("token.code")
      const page = new URL("/", url.replace(/^ws/, "http"))
      // In the fragment, which browsers send to no server and write into no log.
      page.hash = `code=${code}`
      return { url: page.href, expires_ms }
    },
    show: ({ url }) => url,
  })
