/** Starts a program shut in, by the launcher that its words are, and waits to be killed. */
import { openBox } from "./enclosed.ts"

const box = openBox(process.argv.slice(2))
box.start(["/bin/bash", "-c", "setsid sleep 1000 & echo $! $$ > pids; mv pids started; wait"])
console.log(box.at(""))
await new Promise(() => setInterval(() => undefined, 1 << 30))
