import { expect, test } from "bun:test"
import { ToolDenied } from "../../../src/security/target.ts"
import { startDns } from "./dns-server.ts"
import { failure, openTestFetch, startRemote } from "./remote.ts"

/** Each leads to this machine or must not be reached anyway; "#" stands for the canary's port. */
const refused_urls = {
  "loopback in every spelling": [
    ...["http://127.0.0.1:#/", "http://127.1:#/", "http://127.0.1:#/", "http://127.1.2.3:#/"],
    ...["http://127.255.255.254:#/", "http://2130706433:#/", "http://0x7f000001:#/", "http://0x7F.1:#/"],
    ...["http://017700000001:#/", "http://0177.0.0.1:#/", "http://0177.0x0.0.1:#/", "http://127.0.0.1.:#/"],
    ...[
      "http://0x7f.0x0.0x0.0x1:#/",
      "http://00000177.1:#/",
      "http://%31%32%37.0.0.1:#/",
      "http://127。0。0。1:#/",
    ],
    ...[
      "http://１２７.０.０.１:#/",
      "http://①②⑦.⓪.⓪.①:#/",
      "http://127.0.0.1\u00ad:#/",
      "http://12\u00ad7.1:#/",
    ],
    ...["http://１27.1:#/", "http://127%2e0%2e0%2e1:#/", "http://[::1]:#/", "http://[0:0:0:0:0:0:0:1]:#/"],
    ...["http://[0000::0001]:#/", "HTTP://127.0.0.1:#/", "http:127.0.0.1:#/", "http:/\\127.0.0.1:#/"],
    ...["http:\\\\127.0.0.1:#/", " http://127.0.0.1:#/", "ht\ntp://127.0.0.1:#/", "http://127.0.\t0.1:#/"],
    ...["http:////127.0.0.1:#/", "http://127.0.0.1:#\\@example.com/", "http://127.0.0.1:##@example.com/"],
    ...[
      "http://127.0.0.1:#?@example.com/",
      "http://127.0.0.1:0#/",
      "https://127.0.0.1:#/",
      "https://[::1]:#/",
    ],
  ],
  "this host": ["http://0.0.0.0:#/", "http://0:#/", "http://0x0:#/", "http://0.1.2.3:#/", "http://[::]:#/"],
  private: [
    ...["http://10.0.0.1:#/", "http://10.255.255.255/", "http://172.16.0.1/", "http://172.31.255.255/"],
    ...["http://192.168.0.1/", "http://192.168.1:#/", "http://3232235777/", "http://100.64.0.1/"],
    ...["http://100.127.255.255/", "http://[fc00::1]/", "http://[fd12:3456::1]:#/", "http://[fec0::1]/"],
  ],
  "the link": [
    "http://169.254.0.1/",
    "http://[fe80::1]/",
    "http://[fe80::5efe:7f00:1]:#/",
    "http://[febf::1]/",
  ],
  metadata: [
    ...["http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/", "http://100.100.100.200/"],
    ...["http://192.0.0.192/", "http://168.63.129.16/", "http://[fd00:ec2::254]/", "http://2852039166/"],
    ...["http://0xA9FEA9FE/", "http://metadata.google.internal/", "http://metadata.google.internal./"],
    ...[
      "http://METADATA.google.internal:#/",
      "http://metadata/",
      "http://instance-data/",
      "http://metadata.goog/",
    ],
  ],
  "IPv4 in IPv6": [
    ...["http://[::ffff:127.0.0.1]:#/", "http://[::ffff:7f00:1]:#/", "http://[0:0:0:0:0:ffff:7f00:1]:#/"],
    ...["http://[::127.0.0.1]:#/", "http://[::7f00:1]:#/", "http://[::ffff:0:127.0.0.1]:#/"],
    ...["http://[64:ff9b::7f00:1]:#/", "http://[64:ff9b::169.254.169.254]/", "http://[64:ff9b:1::7f00:1]:#/"],
    ...["http://[2002:7f00:1::]:#/", "http://[2002:a9fe:a9fe::1]/", "http://[2001:0:1:2:3:4:80ff:fffe]:#/"],
    ...["http://[2606:4700::5efe:127.0.0.1]:#/", "http://[2606:4700::200:5efe:a00:1]/"],
    ...["http://[::ffff:8.8.8.8]/", "http://[64:ff9b::808:808]/", "http://[::ffff:169.254.169.254]/"],
  ],
  reserved: [
    ...["http://192.0.0.1/", "http://192.0.2.1/", "http://198.18.0.1/", "http://198.51.100.1/"],
    ...["http://203.0.113.1/", "http://192.88.99.1/", "http://224.0.0.1/", "http://239.255.255.255/"],
    ...["http://240.0.0.1/", "http://255.255.255.255/", "http://[ff02::1]/", "http://[100::1]/"],
    ...["http://[2001:db8::1]/", "http://[3fff::1]/", "http://[5f00::1]/", "http://[4000::1]/"],
  ],
  names: [
    ...["http://localhost:#/", "http://localhost.:#/", "http://LOCALHOST:#/", "http://ｌocalhost:#/"],
    ...["http://a.localhost:#/", "http://a.b.localhost.:#/", "http://localhost.localdomain:#/"],
    ...["http://printer.local/", "http://db.internal:#/", "http://x.internal./", "http://loc%61lhost:#/"],
  ],
  schemes: [
    ...["file:///etc/passwd", "ftp://127.0.0.1:#/", "gopher://127.0.0.1:#/_x", "unix:/var/run/docker.sock"],
    ...["http+unix://%2fvar%2frun%2fdocker.sock/", "data:text/plain,x", "javascript:1", "ws://127.0.0.1:#/"],
    ...["dict://127.0.0.1:#/", "blob:http://127.0.0.1:#/x", "jar:http://127.0.0.1:#/", "ldap://127.0.0.1:#/"],
  ],
  "user names": [
    ...["http://user@127.0.0.1:#/", "http://example.com@127.0.0.1:#/", "http://a:b@example.com/"],
    ...["http://example.com:80@127.0.0.1:#/", "http://:x@127.0.0.1:#/", "http://a%40b@127.0.0.1:#/"],
  ],
}

const cases = Object.entries(refused_urls).flatMap(([kind, urls]) => urls.map((url) => [kind, url] as const))

test("there are more than the 107 cases that are asked for", () => expect(cases.length).toBeGreaterThan(107))

test.each(cases)("%s: %p is refused and nothing is connected to", async (_kind, url) => {
  await using canary = await startRemote()
  const fetch = openTestFetch([], { lookup: async () => [{ address: "127.0.0.1", family: 4 }] })
  const thrown = await failure(fetch({ url: url.replaceAll("#", `${canary.port}`) }))
  expect(thrown).toBeInstanceOf(ToolDenied)
  expect(canary.connections).toBe(0)
})

test.each([
  "",
  "x",
  "http://",
  "http://[",
  "http://a b/",
  "http://%00/",
  "http://1.2.3.256/",
  "//x",
  "http://.",
  "http://example.com../",
  "http://localhost..:80/",
  "http://.example.com/",
])("%p is no URL", async (url) => expect(await failure(openTestFetch()({ url }))).toBeInstanceOf(Error))

test("a local name is refused without being looked up, even where it would be public", async () => {
  const asked: string[] = []
  const lookup = async (host: string) => {
    asked.push(host)
    return [{ address: "192.0.2.1", family: 4 as const }]
  }
  const fetch = openTestFetch([], { lookup })
  for (const host of [
    "localhost",
    "a.localhost.",
    "printer.local",
    "db.internal",
    "metadata.google.internal",
  ])
    expect(await failure(fetch({ url: `http://${host}/` }))).toBeInstanceOf(ToolDenied)
  expect(asked).toEqual([])
})

test("what is opened by host and port is reached, under its own name, and nothing beside it", async () => {
  await using canary = await startRemote()
  await using other = await startRemote()
  const fetch = openTestFetch(
    [`localhost:${canary.port}`, `[::1]:${canary.port}`, `site.internal:${canary.port}`],
    {
      lookup: async () => [{ address: "127.0.0.1", family: 4 }],
    },
  )
  for (const host of ["localhost", "LOCALHOST.", "[0::1]", "site.internal"])
    expect(await fetch({ url: `http://${host}:${canary.port}/` })).toMatchObject({ status: 200 })
  expect(canary.heads.map((head) => head.match(/^host: (.*)$/im)?.[1])).toEqual(
    ["localhost", "localhost", "[::1]", "site.internal"].map((host) => `${host}:${canary.port}`),
  )
  expect(await failure(fetch({ url: `http://localhost:${other.port}/` }))).toBeInstanceOf(ToolDenied)
  expect(await failure(fetch({ url: `http://127.0.0.1:${canary.port}/` }))).toBeInstanceOf(ToolDenied)
  expect(other.connections).toBe(0)
})

test.each([
  "http://169.254.169.254/",
  "http://[fd00:ec2::254]/",
  "http://metadata.google.internal/",
  "http://[fe80::1]/",
  "http://224.0.0.1/",
  "http://0.0.0.0/",
  "http://192.0.2.1/",
  "http://[::ffff:127.0.0.1]/",
  "http://[64:ff9b::a00:1]/",
])("not even the operator opens %s", async (url) => {
  const fetch = openTestFetch([], {
    isOpened: () => true,
    lookup: async () => [{ address: "10.0.0.1", family: 4 }],
  })
  expect(await failure(fetch({ url }))).toBeInstanceOf(ToolDenied)
})

test("each name that leads inside, by whatever answer, is refused and nothing is connected to", async () => {
  await using canary = await startRemote()
  await using dns = await startDns({
    "loop.example": { a: [["127.0.0.1"]] },
    "loop6.example": { aaaa: [["::1"]] },
    "mixed.example": { a: [["93.184.215.14", "127.0.0.1"]] },
    "mixed6.example": { a: [["93.184.215.14"]], aaaa: [["::1"]] },
    "alias.example": { cname: "inner.example" },
    "inner.example": { a: [["127.0.0.1"]] },
    "chain.example": { cname: "alias.example" },
    "cloud.example": { a: [["169.254.169.254"]] },
    "azure.example": { a: [["168.63.129.16"]] },
    "any.example": { a: [["0.0.0.0"]] },
    "lan.example": { a: [["192.168.1.1"]] },
    "mapped.example": { aaaa: [["0:0:0:0:0:ffff:7f00:1"]] },
    "nat64.example": { aaaa: [["64:ff9b::7f00:1"]] },
    "site64.example": { aaaa: [["64:ff9b:1::7f00:1"]] },
    "6to4.example": { aaaa: [["2002:7f00:1::"]] },
    "teredo.example": { aaaa: [["2001:0:4136:e378:8000:63bf:80ff:fffe"]] },
    "isatap.example": { aaaa: [["2606:4700::5efe:7f00:1"]] },
    "ula.example": { aaaa: [["fd00:ec2::254"]] },
    "link.example": { aaaa: [["fe80::1"]] },
  })
  const names = [
    "loop",
    "loop6",
    "mixed",
    "mixed6",
    "alias",
    "chain",
    "cloud",
    "azure",
    "any",
    "lan",
    "mapped",
  ]
  const more = ["nat64", "site64", "6to4", "teredo", "isatap", "ula", "link"]
  const fetch = openTestFetch([], { lookup: dns.lookup })
  for (const name of [...names, ...more]) {
    const thrown = await failure(fetch({ url: `http://${name}.example:${canary.port}/` }))
    expect([name, thrown.name]).toEqual([name, "ToolDenied"])
    expect(thrown.message).not.toMatch(/\d+\.\d+\.\d+|::/)
  }
  expect(canary.connections).toBe(0)
  expect(new Set(dns.asked).size).toBe(names.length + more.length)
})

test("the connection goes to the very address that was checked, whatever the name answers next", async () => {
  await using canary = await startRemote()
  await using dns = await startDns({ "rebind.example": { a: [["127.0.0.7"], ["127.0.0.8"]] } })
  const fetch = openTestFetch([`rebind.example:${canary.port}`], { lookup: dns.lookup })
  await fetch({ url: `http://rebind.example:${canary.port}/` })
  expect(canary.reached).toEqual(["127.0.0.7"])
  expect(dns.asked).toEqual(["rebind.example", "rebind.example"])
})

test("a name that is public at first and this machine's at the second request is refused then", async () => {
  await using canary = await startRemote()
  await using dns = await startDns({ "rebind.example": { a: [["192.0.2.1"], ["127.0.0.1"]] } })
  const fetch = openTestFetch([], { lookup: dns.lookup })
  for (let i = 0; i < 3; i++)
    expect(await failure(fetch({ url: `http://rebind.example:${canary.port}/` }))).toBeInstanceOf(ToolDenied)
  expect(canary.connections).toBe(0)
})
