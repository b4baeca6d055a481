/** Exchanges two names over and over until it is killed; the words are the two paths. */
import { openLibc, toC } from "../../../src/kernel/libc.ts"

const [one, other] = process.argv.slice(2)
const here = -100
const exchange = 2
const libc = openLibc({ renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" } })
const [from, to] = [toC(one!), toC(other!)]
if (libc.renameat2(here, from, here, to, exchange) !== 0) throw new Error("the names could not be exchanged")
console.log("exchanging")
for (;;) {
  libc.renameat2(here, from, here, to, exchange)
  // Long enough for a write to begin, and short enough to be in the middle of most.
  const until_ns = Bun.nanoseconds() + Math.random() * 300_000
  while (Bun.nanoseconds() < until_ns);
}
