/** From a model's call to its effect, with a person between them: what happens is what was shown and allowed, or nothing. */
import { afterAll, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import type { Approval } from "../../src/agent/approvals.ts"
import {
  type Frame,
  openSocket,
  type Started,
  startGateway,
  startModel,
  temporaryFolder,
} from "../harness.ts"
import { needs } from "../needs.ts"
import { ask, call, makeToken } from "./client.ts"

/** Calls what the message says, and then says how that went. */
const model = startModel(function* ({ messages }) {
  const last = messages.at(-1)!
  if (last.role === "user") yield JSON.parse(String(last.content)) as { tool: string; input: unknown }
  else yield "Well then."
})
afterAll(() => model[Symbol.asyncDispose]())

const config = (more = "") => `
[agent]
provider = "script"
model = "scripted"
tools = ["*"]
[agent.permissions]
allow = ["read"]
ask = ["write", "execute"]
${more}`

async function start(more?: string) {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await temporaryFolder())
  const workspace = join(path, "agents/default/workspace")
  mkdirSync(workspace, { recursive: true })
  const gateway = stack.use(await startGateway({ home: path, model, config: config(more) }))
  const kept = stack.move()
  return { ...gateway, workspace, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

type Result = { name: string; content: string; is_error: boolean }

/** Says to the agent what it is to call, and resolves with the call's result. */
async function order(gateway: Started, tool: string, input: unknown, peer = "main"): Promise<Result> {
  await using client = await openSocket(gateway.ws, { token: gateway.token })
  const events: Frame[] = []
  const content = JSON.stringify({ tool, input })
  const { error } = await client.call("chat.send", { content, peer }, events)
  if (error) throw new Error(error.message)
  const [result] = events.flatMap(({ params }) => (params?.type === "tool_result" ? [params] : []))
  return result as unknown as Result
}

const write = (gateway: Started, path: string, peer?: string) =>
  order(gateway, "write_file", { path, content: "written" }, peer)

/** An operator who is told what waits. */
async function attend(gateway: Started, token = gateway.token) {
  const socket = await openSocket(gateway.ws, { token })
  await socket.call("event.subscribe", { topics: ["approval.requested"] })
  const shown = async () => {
    for (;;) {
      const { method, params } = await socket.read()
      if (method === "event") return params!.data as Approval
    }
  }
  const answer = async ({ approval_id, hash }: Approval, decision: "allow" | "deny", lasts = "once") => {
    const { error } = await call(gateway, "approval.resolve", { approval_id, hash, decision, lasts }, token)
    return error?.data.code ?? "ok"
  }
  return { ...socket, shown, answer }
}

type Recorded = { tool: string; verdict: string; decided_by: string; outcome: string }

const records = async (gateway: Started) =>
  (await ask<{ calls: Recorded[] }>(gateway, "tool.calls")).calls.map(
    ({ tool, verdict, decided_by, outcome }) => `${tool}: ${verdict} by ${decided_by}, ${outcome}`,
  )

test("what is allowed happens, what is denied does not, and the record says who decided", async () => {
  await using gateway = await start()
  const { token } = await makeToken(gateway, { scopes: ["approve"] })
  await using operator = await attend(gateway, token)
  const file = join(gateway.workspace, "notes.txt")
  for (const [decision, exists] of [
    ["deny", false],
    ["allow", true],
  ] as const) {
    const done = write(gateway, "notes.txt")
    const shown = await operator.shown()
    expect(shown.summary).toContain("- write notes.txt\n  path = notes.txt\n  content = written")
    expect(existsSync(file)).toBe(false)
    expect(await operator.answer(shown, decision)).toBe("ok")
    const { content, is_error } = await done
    expect({ is_error, exists: existsSync(file) }).toEqual({ is_error: !exists, exists })
    if (!exists) expect(content).toBe("Denied: test said no.")
  }
  expect(await records(gateway)).toEqual([
    "write_file: allow by test, ok",
    "write_file: deny by test, denied",
  ])
})

test("of an allow and a deny at once one counts, and what happens is that one", async () => {
  await using gateway = await start()
  const second = await makeToken(gateway, { scopes: ["approve"] })
  await using first = await attend(gateway)
  await using other = await attend(gateway, second.token)
  for (let round = 0; round < 10; round++) {
    const path = `round-${round}.txt`
    const done = write(gateway, path)
    const shown = await first.shown()
    const answers = [() => first.answer(shown, "allow"), () => other.answer(shown, "deny")]
    const turned = round % 2 === 0 ? answers : answers.toReversed()
    const codes = await Promise.all(turned.map((answer) => answer()))
    expect(codes.toSorted()).toEqual(["not_found", "ok"])
    const is_allowed = (round % 2 === 0 ? codes[0] : codes[1]) === "ok"
    expect((await done).is_error).toBe(!is_allowed)
    expect(existsSync(join(gateway.workspace, path))).toBe(is_allowed)
  }
})

test("nobody's answer is a no, and one after that moves nothing", async () => {
  await using gateway = await start("[tools]\napproval_timeout_ms = 1000\n")
  await using operator = await attend(gateway)
  const done = write(gateway, "notes.txt")
  const shown = await operator.shown()
  expect(await done).toMatchObject({ is_error: true, content: "Denied: Nobody answered in time." })
  expect(await operator.answer(shown, "allow")).toBe("not_found")
  expect(existsSync(join(gateway.workspace, "notes.txt"))).toBe(false)
  expect(await records(gateway)).toEqual(["write_file: deny by time, denied"])
})

test("an operator whose token is revoked while it waits cannot allow it, and it is denied in time", async () => {
  await using gateway = await start("[tools]\napproval_timeout_ms = 1000\n")
  const { token, token_id } = await makeToken(gateway, { scopes: ["approve"] })
  await using operator = await attend(gateway, token)
  const done = write(gateway, "notes.txt")
  const shown = await operator.shown()
  await ask(gateway, "token.revoke", { token_id })
  expect(await operator.answer(shown, "allow")).toBe("unauthorized")
  expect(await done).toMatchObject({ is_error: true })
  expect(existsSync(join(gateway.workspace, "notes.txt"))).toBe(false)
  // From now on nobody is there to be asked.
  expect(await write(gateway, "notes.txt")).toMatchObject({ is_error: true })
  expect(await records(gateway)).toEqual([
    "write_file: deny by nobody, denied",
    "write_file: deny by time, denied",
  ])
})

test("a turn that is stopped while it waits does nothing, whatever is answered then", async () => {
  await using gateway = await start()
  await using operator = await attend(gateway)
  const done = write(gateway, "notes.txt")
  const shown = await operator.shown()
  await ask(gateway, "chat.abort", { turn_id: shown.turn_id })
  await done
  expect(await operator.answer(shown, "allow")).toBe("not_found")
  expect(existsSync(join(gateway.workspace, "notes.txt"))).toBe(false)
})

test("what is allowed for a session holds there and nowhere else, until it is revoked", async () => {
  await using gateway = await start()
  await using operator = await attend(gateway)
  const first = write(gateway, "notes.txt", "anna")
  await operator.answer(await operator.shown(), "allow", "session")
  expect(await first).toMatchObject({ is_error: false })
  expect(await write(gateway, "notes.txt", "anna")).toMatchObject({ is_error: false })
  const others = [
    [() => write(gateway, "other.txt", "anna"), "another file"],
    [() => write(gateway, "notes.txt", "bert"), "another session"],
  ] as const
  for (const [again] of others) {
    const done = again()
    await operator.answer(await operator.shown(), "deny")
    expect(await done).toMatchObject({ is_error: true })
  }
  const { grants } = await ask<{ grants: { grant_id: string }[] }>(gateway, "approval.list")
  await ask(gateway, "approval.revoke", { grant_id: grants[0]!.grant_id })
  const done = write(gateway, "notes.txt", "anna")
  await operator.answer(await operator.shown(), "deny")
  expect(await done).toMatchObject({ is_error: true })
  expect((await records(gateway)).filter((one) => one.includes("(grant "))).toBeArrayOfSize(1)
})

test("a folder that becomes a link after it was shown is not what was allowed", async () => {
  await using gateway = await start()
  await using operator = await attend(gateway)
  for (const name of ["drafts", "published"]) mkdirSync(join(gateway.workspace, name))
  const done = write(gateway, "drafts/page.txt")
  const shown = await operator.shown()
  renameSync(join(gateway.workspace, "drafts"), join(gateway.workspace, "aside"))
  symlinkSync("published", join(gateway.workspace, "drafts"))
  await operator.answer(shown, "allow")
  expect(await done).toMatchObject({ is_error: true })
  for (const name of ["published", "aside"]) {
    expect(existsSync(join(gateway.workspace, name, "page.txt"))).toBe(false)
  }
})

needs({ platform: "linux", file: "native/build/sandbox" })(
  "a script that changes after it was shown does not run, and the same one does",
  async () => {
    await using gateway = await start()
    await using operator = await attend(gateway)
    const script = join(gateway.workspace, "run.sh")
    writeFileSync(script, "#!/bin/sh\necho harmless > out.txt\n")
    chmodSync(script, 0o755)
    const input = { command: ["./run.sh"] }
    const changed = order(gateway, "exec", input)
    const shown = await operator.shown()
    expect(shown.summary).toMatch(/run\.sh .*sha256 [0-9a-f]{64}/)
    writeFileSync(script, "#!/bin/sh\necho harmful > out.txt\n")
    expect(await operator.answer(shown, "allow")).toBe("ok")
    expect(await changed).toMatchObject({ is_error: true, content: expect.stringContaining("changed after") })
    expect(existsSync(join(gateway.workspace, "out.txt"))).toBe(false)

    writeFileSync(script, "#!/bin/sh\necho harmless > out.txt\n")
    const same = order(gateway, "exec", input)
    await operator.answer(await operator.shown(), "allow")
    expect(await same).toMatchObject({ is_error: false })
    expect(readFileSync(join(gateway.workspace, "out.txt"), "utf8")).toBe("harmless\n")
    expect(await records(gateway)).toEqual([
      "exec: allow by operator, ok",
      "exec: deny by operator (void), denied",
    ])
  },
)
