import { expect, test } from "bun:test"
import { networkInterfaces } from "node:os"
import { connect } from "../../src/client/client.ts"
import { startGateway } from "../harness.ts"

const has_ipv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
)

test.each([["0.0.0.0", "127.0.0.1"], ...(has_ipv6 ? [["::", "[::1]"] as const] : [])])(
  "a gateway that listens on %s is reached by its own machine at %s",
  async (bind, host) => {
    await using gateway = await startGateway({ config: `[gateway]\nbind = "${bind}"\n` })
    expect(gateway.url).toBe(`http://${host}:${gateway.port}`)
    await using client = await connect({ url: gateway.url, token: gateway.token, reconnect: false })
    expect(await client.call("ping")).toBe("pong")
  },
)
