/** Runs before any test: nothing of the person who runs them is read, written or paid for. */
import { afterAll } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const home = mkdtempSync(join(tmpdir(), "weft-test-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))

// Keys would make a test call a paid service; proxies would send loopback requests elsewhere.
const personal =
  /^WEFT_|_(API_KEY|ACCESS_TOKEN|AUTH_TOKEN|BASE_URL)$|^(AWS|AZURE|GOOGLE)_|^(https?|all|no)_proxy$/i
for (const name of Object.keys(process.env)) if (personal.test(name)) delete process.env[name]

const folders = {
  HOME: ".",
  WEFT_HOME: ".weft",
  XDG_CONFIG_HOME: ".config",
  XDG_CACHE_HOME: ".cache",
  XDG_DATA_HOME: ".local/share",
  XDG_STATE_HOME: ".local/state",
  XDG_RUNTIME_DIR: ".run",
}
for (const [name, folder] of Object.entries(folders)) {
  process.env[name] = join(home, folder)
  // The state folder is the program's to make, with its own mode.
  if (name !== "WEFT_HOME") mkdirSync(join(home, folder), { recursive: true, mode: 0o700 })
}
