import { expect } from "bun:test"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Program } from "../../../src/security/sandbox/execute.ts"
import { openSandbox } from "../../../src/security/sandbox/sandbox.ts"
import { asUser, type Box, findMarked, marker, openBox, sh, variants, walled } from "./box.ts"

const mib = 1_048_576

for (const variant of variants) {
  const of = `of ${variant.name}`

  walled(`nothing that a program ${of} starts outlives it`, async () => {
    await using box = await openBox(variant)
    const word = marker()
    const script = `
      sleep ${word} &
      setsid sleep ${word} &
      nohup sleep ${word} > /dev/null 2>&1 &
      (sleep ${word} & sleep ${word} &)
      (setsid sh -c 'trap "" TERM HUP INT; sleep ${word} & (setsid sleep ${word} &); sleep ${word}' &)
      echo ready; exit 3`
    const { answers } = await box.run([sh(script)])
    expect(answers[0]).toMatchObject({ exit_code: 3, signal: null, stdout: "ready\n", timed_out: false })
    expect(findMarked(word)).toEqual([])
  })

  walled(`a program ${of} that ignores signals ends with its time, and all of it`, async () => {
    await using box = await openBox(variant)
    const word = marker()
    const script = `trap "" TERM HUP INT; (setsid sleep ${word} &); while :; do sleep ${word}; done`
    const { answers } = await box.run([{ ...sh(script), timeout_ms: 300 }])
    expect(answers[0]).toMatchObject({
      timed_out: true,
      exceeded: "time",
      exit_code: null,
      signal: "SIGKILL",
    })
    expect(answers[0]!.duration_ms).toBeLessThan(2500)
    expect(findMarked(word)).toEqual([])
  })

  walled(`memory ${of} is limited, of one process and of all together`, async () => {
    await using box = await openBox(variant)
    const word = marker()
    const hold = (bytes: number) => `x=$(head -c ${bytes} /dev/zero | tr '\\0' x)`
    const together = `for i in 1 2 3 4; do sh -c '${hold(40 * mib).replaceAll("'", `'"'"'`)}; sleep ${word}; :' & done; wait`
    const chain = `n=$1; [ $n -gt 0 ] && { sh chain.sh $((n-1)); exit; }; ${hold(140 * mib)}; sleep 1`
    const deep = `cat > chain.sh; sh chain.sh 250`
    const shared = `${hold(25 * mib)}; mkfifo pipe; for i in 1 2 3 4 5; do (read y < pipe) & done; sleep 0.3; echo enough`
    const { answers } = await box.run(
      [{ argv: ["/usr/bin/tail", "/dev/zero"] }, sh(together), sh(shared), { ...sh(deep), stdin: chain }],
      {
        limits: { memory_bytes_max: 120 * mib, processes_max: 400 },
      },
    )
    expect(answers[0]).toMatchObject({ exceeded: "memory", signal: "SIGKILL", exit_code: null })
    expect(answers[1]).toMatchObject({ exceeded: "memory", signal: "SIGKILL", exit_code: null })
    expect(answers[2]).toMatchObject({ exit_code: 0, stdout: "enough\n" })
    expect(answers[3]).toMatchObject({ exceeded: "memory" })
    expect(findMarked(word)).toEqual([])
  })

  walled(`processes ${of} are limited`, async () => {
    await using box = await openBox(variant)
    const word = marker()
    // Without a namespace the same user's other processes and threads, of other tests and of this one, count: they may
    // come and go, and those outside of the namespace that takes the others' place here are counted on top.
    const others = variant.bare ? 400 : 0
    // At most a thousand: it is counted how far it gets, and it stops by itself.
    const script = `i=0; while [ $i -lt 1000 ]; do sleep ${word} & i=$((i+1)); echo $i; done; wait`
    const { answers } = await box.run([sh(script)], { limits: { processes_max: 40 } })
    const [answer] = answers
    const got = Number(answer!.stdout.trim().split("\n").at(-1))
    if (answer!.exceeded) {
      expect(answer!.exceeded).toBe("processes")
      expect(got).toBeLessThan(1000)
    } else {
      expect(answer!.stderr).toMatch(/fork/i)
      expect(got).toBeLessThanOrEqual(40 + others)
    }
    expect(got).toBeGreaterThan(20 - others)
    expect(findMarked(word)).toEqual([])
  })

  walled(`processes ${of} that have ended do not count`, async () => {
    await using box = await openBox(variant)
    // Each is left to whoever reaps; what it writes to is waited for, and so is its end.
    const script = "i=0; while [ $i -lt 400 ]; do x=$( (/bin/true &) ); i=$((i+1)); done; echo enough"
    const { answers } = await box.run([sh(script)], { limits: { processes_max: 60 } })
    expect(answers[0]).toMatchObject({ exit_code: 0, stdout: "enough\n", stderr: "" })
  })

  walled(`a file ${of} does not grow beyond its limit, and a core is none`, async () => {
    await using box = await openBox(variant)
    const { answers } = await box.run(
      [
        { argv: ["/usr/bin/head", "-c", "20000000", "/dev/zero"] },
        sh("head -c 20000000 /dev/zero > big"),
        sh("ulimit -c"),
      ],
      { limits: { file_bytes_max: 10 * mib } },
    )
    expect(answers[0]).toMatchObject({ exit_code: 0, stdout_bytes: 20_000_000 })
    expect(answers[1]!.exit_code).not.toBe(0)
    expect(statSync(join(box.workspace, "big")).size).toBe(10 * mib)
    expect(answers[2]!.stdout).toBe("0\n")
  })

  walled(`a gateway ${of} that is killed leaves nothing`, async () => {
    await using box = await openBox(variant)
    const word = marker()
    const script = `(setsid sleep ${word} &); sleep ${word}; :`
    const gateway = Bun.spawn(box.task([sh(script)]), {
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "ignore", "inherit"],
    })
    await until(() => findMarked(word).length > 1)
    gateway.kill("SIGKILL")
    await gateway.exited
    await until(() => findMarked(word).length === 0)
  })
}

/** Looks again and again; a test that waits for what never comes ends by its own time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

const [here] = variants

async function start(box: Box, program: Partial<Program>) {
  const sandbox = openSandbox(box.options())
  const usual = {
    argv: ["/bin/true"],
    timeout_ms: 20_000,
    output_bytes_max: 1000,
    signal: new AbortController().signal,
  }
  return {
    sandbox,
    done: sandbox.execute({ ...usual, ...program }),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  }
}

walled("a stopped call rejects with the reason, and not before everything is dead", async () => {
  await using box = await openBox(here!)
  const word = marker()
  const stop = new AbortController()
  const script = `trap "" TERM; (setsid sleep ${word} &); touch started; sleep ${word}; :`
  await using run = await start(box, { ...sh(script), signal: stop.signal })
  await until(() => existsSync(join(box.workspace, "started")))
  const reason = new Error("enough")
  stop.abort(reason)
  expect(await run.done.catch((thrown) => thrown)).toBe(reason)
  expect(findMarked(word)).toEqual([])
  expect(readdirSync(join(box.home, "run"))).toEqual([])
})

walled("a call that is stopped before it begins starts nothing", async () => {
  await using box = await openBox(here!)
  await using run = await start(box, { ...sh("touch made"), signal: AbortSignal.abort(new Error("early")) })
  await expect(run.done).rejects.toThrow("early")
  expect(readdirSync(box.workspace)).toEqual([])
})

walled("closing the sandbox stops what runs", async () => {
  await using box = await openBox(here!)
  const word = marker()
  await using run = await start(box, sh(`touch started; sleep ${word}; :`))
  const failed = run.done.catch((thrown: Error) => thrown.message)
  await until(() => existsSync(join(box.workspace, "started")))
  await run.sandbox[Symbol.asyncDispose]()
  expect(findMarked(word)).toEqual([])
  expect(await failed).toBe("The gateway is stopping.")
})

walled("of a flood the beginning and the end are kept, and one without end is ended", async () => {
  await using box = await openBox(here!)
  await using counted = await start(box, sh("seq 1 100000; seq 1 9 >&2"))
  const { stdout, stdout_bytes, stderr, exceeded } = await counted.done
  expect(exceeded).toBeUndefined()
  expect([stdout_bytes, stderr]).toEqual([588_895, "1\n2\n3\n4\n5\n6\n7\n8\n9\n"])
  expect(stdout).toStartWith("1\n2\n3\n")
  expect(stdout).toEndWith("\n99999\n100000\n")
  expect(stdout).toContain("\n[… 587895 bytes left out here …]\n")
  await using flood = await start(box, sh("head -c 1073741824 /dev/zero"))
  const flooded = await flood.done
  expect(flooded).toMatchObject({ exceeded: "output", timed_out: false, exit_code: null })
  expect(flooded.stdout.length).toBeLessThan(1100)
  expect(flooded.stdout_bytes).toBeLessThan(200 * mib)
})

walled("a program may close its outputs, or leave its input unread", async () => {
  await using box = await openBox(here!)
  await using closed = await start(box, sh("exec >&- 2>&- <&-; sleep 0.1; touch made"))
  expect(await closed.done).toMatchObject({ exit_code: 0, stdout: "", stderr: "" })
  expect(existsSync(join(box.workspace, "made"))).toBe(true)
  await using unread = await start(box, { ...sh("echo done"), stdin: "x".repeat(4 * mib) })
  expect(await unread.done).toMatchObject({ exit_code: 0, stdout: "done\n" })
  await using read = await start(box, { argv: ["/usr/bin/wc", "-c"], stdin: "x".repeat(4 * mib) })
  expect(await read.done).toMatchObject({ stdout: `${4 * mib}\n` })
})

walled("a stream that somebody else holds is not waited for", async () => {
  await using box = await openBox(here!)
  expect(asUser(here!.user)).toEqual([])
  await using run = await start(box, sh("(setsid sleep 1000 &); echo done"))
  const { stdout, duration_ms } = await run.done
  expect(stdout).toBe("done\n")
  expect(duration_ms).toBeLessThan(5000)
})
