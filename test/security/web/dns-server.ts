/** A real DNS server on a UDP socket of this machine, and a lookup that asks it. */
import { Resolver } from "node:dns/promises"
import type { FetchPolicy } from "../../../src/security/web/fetch.ts"

/** What a name has; a list in a list is an answer a query, the last one stays. */
export type Zone = Record<string, { a?: string[][]; aaaa?: string[][]; cname?: string }>

export type DnsServer = AsyncDisposable & {
  lookup: NonNullable<FetchPolicy["lookup"]>
  /** Names that were asked for, once a query of A or AAAA. */
  asked: string[]
}

const [type_a, type_cname] = [1, 5]

export async function startDns(zone: Zone): Promise<DnsServer> {
  const asked: string[] = []
  const counts = new Map<string, number>()
  /** The nth answer of a list of answers, for rebinding. */
  const turn = (key: string, answers: string[][] | undefined): string[] => {
    const n = counts.get(key) ?? 0
    counts.set(key, n + 1)
    return answers?.[Math.min(n, answers.length - 1)] ?? []
  }
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, query, port, address) {
        const { name, type, end } = questionIn(query)
        asked.push(name)
        const records: Buffer[] = []
        let owner = name
        for (let alias = zone[owner]?.cname; alias; alias = zone[owner]?.cname) {
          records.push(record(owner, type_cname, encoded(alias)))
          owner = alias
        }
        const key = type === type_a ? "a" : "aaaa"
        for (const text of turn(`${owner} ${key}`, zone[owner]?.[key]))
          records.push(record(owner, type, packed(text)))
        const head = Buffer.from(query.subarray(0, 12))
        head.writeUInt16BE(zone[name] ? 0x8580 : 0x8583, 2)
        head.writeUInt16BE(records.length, 6)
        head.fill(0, 8, 12)
        socket.send(Buffer.concat([head, query.subarray(12, end), ...records]), port, address)
      },
    },
  })
  const resolver = new Resolver({ timeout: 2000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.port}`])
  return {
    asked,
    async lookup(host) {
      const none = (thrown: NodeJS.ErrnoException): string[] => {
        if (thrown.code === "ENODATA" || thrown.code === "ENOTFOUND") return []
        throw thrown
      }
      const four = await resolver.resolve4(host).catch(none)
      const six = await resolver.resolve6(host).catch(none)
      if (four.length + six.length === 0) throw new Error("ENOTFOUND")
      return [
        ...four.map((address) => ({ address, family: 4 as const })),
        ...six.map((address) => ({ address, family: 6 as const })),
      ]
    },
    async [Symbol.asyncDispose]() {
      socket.close()
    },
  }
}

function questionIn(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  while (query[at]! > 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!))
    at += query[at]! + 1
  }
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function record(owner: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(0, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([encoded(owner), fixed, data])
}

const encoded = (name: string) =>
  Buffer.concat([
    ...name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.alloc(1),
  ])

/** An address as bytes; of IPv6 the form with all eight groups, or with one "::". */
function packed(text: string): Buffer {
  if (!text.includes(":")) return Buffer.from(text.split(".").map(Number))
  const [left = "", right] = text.split("::")
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16))
  const [head, tail] = [groups(left), groups(right ?? "")]
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}
