/** Fetches an address in a process of its own, so that a test can give it an environment. Prints what came of it. */
import { openFetch } from "../../../src/security/web/fetch.ts"

const [url = "", opened = "", address = ""] = process.argv.slice(2)
const fetch = openFetch({
  permit: () => undefined,
  isOpened: (host, port) => `${host}:${port}` === opened,
  ...(address && { lookup: async () => [{ address, family: 4 }] }),
})
console.log(
  await fetch({ url }).then(
    ({ status, body }) => `${status} ${Buffer.from(body)}`,
    (thrown: Error) => thrown.message,
  ),
)
