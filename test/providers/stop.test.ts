import { expect, test } from "bun:test"
import { ask, connect, fail, request } from "./ask.ts"
import { type Peer, startRemote } from "./remote.ts"
import { wires } from "./wires.ts"

const each = wires.map((wire) => [wire.name, wire] as const)

test.each(each)("%s: a server that never answers is a timeout", async (_, wire) => {
  await using remote = startRemote(() => undefined)
  const { error, chunks } = await fail(await connect(wire, remote.url, { timeout_ms: 60 }))
  expect({ error, chunks }).toMatchObject({
    error: { code: "provider_timeout", data: { provider: "it", timeout_ms: 60 } },
    chunks: [],
  })
})

test.each(each)("%s: a head without an answer is a timeout, pings or not", async (_, wire) => {
  await using remote = startRemote((peer) => {
    peer.head()
    const pings = setInterval(() => peer.chunk(": ping\n\n"), 10)
    void peer.gone.then(() => clearInterval(pings))
  })
  const { error } = await fail(await connect(wire, remote.url, { timeout_ms: 80 }))
  expect(error).toMatchObject({ code: "provider_timeout", data: { provider: "it", timeout_ms: 80 } })
})

test.each(each)("%s: an answer that falls silent is a timeout", async (_, wire) => {
  let gone: Promise<void> | undefined
  await using remote = startRemote((peer) => {
    gone = peer.gone
    peer.head()
    peer.chunk(wire.begin + wire.text("Well, "))
  })
  const { error, chunks } = await fail(await connect(wire, remote.url, { idle_timeout_ms: 60 }))
  expect(error).toMatchObject({ code: "provider_timeout", data: { provider: "it", timeout_ms: 60 } })
  expect(chunks[0]).toMatchObject({ type: "text", text: "Well, " })
  await gone
})

test.each(each)("%s: an answer that keeps its connection alive may pause", async (_, wire) => {
  await using remote = startRemote((peer) => {
    peer.head()
    peer.chunk(wire.begin + wire.text("Well, "))
    let pings = 0
    const timer = setInterval(() => {
      peer.chunk(": ping\n\n")
      if (pings++ < 12) return
      clearInterval(timer)
      peer.chunk(wire.end("end"))
      peer.end()
    }, 10)
  })
  const answer = await ask(await connect(wire, remote.url, { idle_timeout_ms: 80 }))
  expect(answer.done).toMatchObject({ type: "done", stop_reason: "end" })
})

test.each(each)("%s: a slow reader is not a silent provider", async (_, wire) => {
  const { promise: read, resolve: go } = Promise.withResolvers<void>()
  await using remote = startRemote(async (peer) => {
    peer.head()
    peer.chunk(wire.begin + wire.text("Well, "))
    await read
    peer.chunk(wire.end("end"))
    peer.end()
  })
  const providers = await connect(wire, remote.url, { idle_timeout_ms: 30, timeout_ms: 60 })
  const types: string[] = []
  for await (const { type } of providers.stream({ provider: "it", model: "m" }, request())) {
    if (type === "text" && types.length === 0) setTimeout(go, 100)
    if (types.length === 0) await read
    types.push(type)
  }
  expect(types.at(-1)).toBe("done")
})

type Moment = "before the head" | "after the head" | "within the answer"
const moments: Moment[] = ["before the head", "after the head", "within the answer"]

test.each(wires.flatMap((wire) => moments.map((moment) => [wire.name, moment, wire] as const)))(
  "%s: an abort %s reaches the provider's socket and is what is thrown",
  async (_, moment, wire) => {
    const controller = new AbortController()
    const reason = new Error("enough")
    const { promise: left, resolve } = Promise.withResolvers<void>()
    const abortSoon = () => setImmediate(() => controller.abort(reason))
    await using remote = startRemote((peer: Peer) => {
      void peer.gone.then(resolve)
      if (moment !== "before the head") peer.head()
      if (moment === "within the answer") peer.chunk(wire.begin + wire.text("Well, "))
      else abortSoon()
    })
    const providers = await connect(wire, remote.url)
    const stream = providers.stream({ provider: "it", model: "m" }, request({ signal: controller.signal }))
    const read = async () => {
      for await (const { type } of stream) if (type === "text") abortSoon()
    }
    await expect(read()).rejects.toBe(reason)
    await left
  },
)

test.each(each)("%s: leaving the stream closes the provider's socket", async (_, wire) => {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  await using remote = startRemote((peer) => {
    void peer.gone.then(resolve)
    peer.head()
    peer.chunk(wire.begin + wire.text("Well, "))
  })
  const providers = await connect(wire, remote.url)
  for await (const _chunk of providers.stream({ provider: "it", model: "m" }, request())) break
  await left
})

test.each(each)("%s: a request that was aborted before is not sent", async (_, wire) => {
  await using remote = startRemote((peer) => peer.close())
  const signal = AbortSignal.abort("never mind")
  const { error } = await fail(await connect(wire, remote.url), { signal })
  expect(error).toBe("never mind")
  expect(remote.requests).toEqual([])
})

// The other two are over when their connection says so.
const ending = each.filter(([name]) => name !== "google" && name !== "openai responses")

test.each(ending)("%s: a server that goes on after its answer's end does not hold it up", async (_, wire) => {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  await using remote = startRemote((peer) => {
    void peer.gone.then(resolve)
    peer.head()
    peer.chunk(wire.begin + wire.text("Done."))
    peer.chunk(wire.end("end"))
  })
  const limits = { timeout_ms: 1000, idle_timeout_ms: 200 }
  expect((await ask(await connect(wire, remote.url, limits))).done).toMatchObject({ type: "done" })
  await left
})

test.each(ending)(
  "%s: a connection that breaks after the answer's end is nobody's concern",
  async (_, wire) => {
    const { promise: left, resolve } = Promise.withResolvers<void>()
    await using remote = startRemote((peer) => {
      void peer.gone.then(resolve)
      peer.head()
      peer.chunk(wire.begin + wire.text("Done.") + wire.end("end"))
      setTimeout(() => peer.reset(), 5)
    })
    expect((await ask(await connect(wire, remote.url))).done).toMatchObject({ type: "done" })
    await left
    // An unhandled rejection, which would end the whole gateway, fails the test that it falls into.
    await new Promise((resolve) => setTimeout(resolve, 10))
  },
)
