import { afterAll, expect, test } from "bun:test"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { started, startServer, text } from "../../client/server.ts"
import { to, weft, weftInTerminal } from "../weft.ts"

const home = await mkdtemp(join(tmpdir(), "weft-test-"))
afterAll(() => rm(home, { recursive: true, force: true }))

/** Answers each message with itself. */
function startEcho() {
  const server = startServer()
  server.methods.set("started", ({ turn_id, content }) => {
    server.emit(String(turn_id), started, text(`**${JSON.stringify(content)}**`))
    server.finish(String(turn_id))
  })
  return server
}

test("a chat answers, takes several lines, remembers them and leaves on Ctrl-D", async () => {
  await using server = startEcho()
  await using chat = weftInTerminal([...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("hello\r")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain('"hello"')
  chat.type("one\\\r")
  await chat.shows(/… $/)
  chat.type("two\u001b\rthree\r")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain('"one\\ntwo\\nthree"')
  chat.type("\u001b[A\u001b[A\r")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain('"hello"')
  chat.type("\u0004")
  expect(await chat.exited).toBe(0)
  const file = join(home, "history")
  expect((await Bun.file(file).text()).split("\n")).toEqual(["hello", "one⏎two⏎three", "hello", ""])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test("a chat has a home where there was none, and does without one where it may not", async () => {
  await using server = startEcho()
  const fresh = join(home, "none", "yet")
  await Bun.write(join(home, "file"), "")
  for (const place of [fresh, join(home, "file")]) {
    await using chat = weftInTerminal(["chat", ...to(server), "--home", place])
    await chat.shows(/› $/)
    chat.type("hello\r")
    const shown = await chat.shows(/offline · [\s\S]*› $/)
    expect(shown.includes("is not kept")).toBe(place !== fresh)
  }
  expect((await stat(fresh)).mode & 0o777).toBe(0o700)
})

test("commands are completed, and one that is not known names the nearest", async () => {
  await using server = startEcho()
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("/he\t\r")
  expect(await chat.shows(/leaves\.[\s\S]*› $/)).toContain("start a new conversation")
  chat.type("/nwe\r")
  expect(await chat.shows(/as it is\.[\s\S]*› $/)).toContain("Did you mean /new?")
  chat.type("/sessions 7\r")
  await chat.shows(/There is no 7 in the list[\s\S]*› $/)
  chat.type("/tool current_time\r")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain("/tool current_time")
  chat.type("/new\r")
  await chat.shows(/A new conversation: chat-[\d-]+\s[\s\S]*› $/)
  chat.type("again\r")
  await chat.shows(/offline · [\s\S]*› $/)
  expect(server.seen.findLast(({ method }) => method === "chat.send")?.params.peer).toStartWith("chat-")
  chat.type("/quit\r")
  expect(await chat.exited).toBe(0)
})

test("Ctrl-R finds what was typed before", async () => {
  await using server = startEcho()
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  for (const message of ["the first one", "something else"]) {
    chat.type(`${message}\r`)
    await chat.shows(/offline · [\s\S]*› $/)
  }
  chat.type("half\u0012fir")
  await chat.shows(/\(search\) fir: the first one$/)
  chat.type("\r")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain('"the first one"')
})

test("Ctrl-C stops the answer and goes on; twice it leaves", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => server.emit(String(turn_id), started, text("Once upon")))
  server.methods.set("chat.abort", ({ turn_id }) => {
    server.finish(String(turn_id), "aborted")
    return { aborted: 1 }
  })
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("tell\r")
  await chat.shows(/Once upon/)
  chat.type("\u0003")
  await chat.shows(/stopped · [\s\S]*› $/)
  chat.type("half a line\u0003")
  chat.type("\u0003")
  await chat.shows(/Ctrl-C again[\s\S]*› $/)
  chat.type("\u0003")
  await chat.shows(/^\r\n/)
  expect(await chat.exited).toBe(0)
})

test("what is typed while an answer comes is sent after it, and stands behind the prompt", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id, content }) => {
    server.emit(String(turn_id), started, text(`${content} so far`))
    if (content === "two") server.finish(String(turn_id))
  })
  server.methods.set("chat.abort", ({ turn_id }) => {
    server.finish(String(turn_id), "aborted")
    return { aborted: 1 }
  })
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("one\r")
  await chat.shows(/one so far/)
  chat.type("two\r\u0003")
  expect(await chat.shows(/two so far[\s\S]*› $/)).toContain("› two")
})

test("a connection that is cut within an answer is told, and the answer goes on where it was", async () => {
  await using server = startServer()
  server.methods.set("started", ({ turn_id }) => server.emit(String(turn_id), started, text("Once ")))
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("tell\r")
  await chat.shows(/Once/)
  server.cut()
  await chat.shows(/connection lost[\s\S]*connected again/)
  server.emit("turn-0", text("upon a time."))
  server.finish("turn-0")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain("Once upon a time.")
})

test("a turn that is refused is told, and the chat goes on", async () => {
  await using server = startEcho()
  let refusals = 1
  server.hooks.onRequest = ({ id, method }, socket) => {
    if (method !== "chat.send" || refusals-- <= 0) return undefined
    const error = { code: -32005, message: "Full.", data: { code: "session_busy", queue_max: 16 } }
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, error }))
    return "ignore"
  }
  await using chat = weftInTerminal(["chat", ...to(server), "--home", home])
  await chat.shows(/› $/)
  chat.type("one\r")
  expect(await chat.shows(/session_busy[\s\S]*› $/)).toContain("queue_max: 16")
  chat.type("two\r")
  expect(await chat.shows(/offline · [\s\S]*› $/)).toContain('"two"')
})

test("without a terminal each line is a message and the answers are plain text", async () => {
  await using server = startEcho()
  const ran = await weft(["chat", ...to(server)], { stdin: "one\\\ntwo\n\n/help\nthree" })
  expect(ran.exit).toBe(0)
  expect(ran.stdout).toStartWith('**"one\\ntwo"**\n')
  expect(ran.stdout).toContain("/sessions")
  expect(ran.stdout).toEndWith('**"three"**\n')
  const json = await weft([...to(server), "--json"], { stdin: "a\nb\n" })
  expect(JSON.parse(json.stdout).map(({ text }: { text: string }) => text)).toEqual(['**"a"**', '**"b"**'])
})
