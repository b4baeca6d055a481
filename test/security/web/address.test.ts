import { expect, test } from "bun:test"
import fc from "fast-check"
import { type AddressClass, classify, isEmbedding } from "../../../src/security/web/address.ts"
import { cpuOf } from "../../cpu.ts"

/** First and last of each range, as section by section of the registries of IANA. */
const classes: [AddressClass, string[]][] = [
  [
    "public",
    [
      ...["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"],
      ...["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"],
      ...[
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "168.63.129.17",
      ],
      ...["2606:4700::1111", "2001:200::", "2001:4860:4860::8888", "2003::1", "3ffe:ffff::", "3fff:1000::"],
    ],
  ],
  ["loopback", ["127.0.0.0", "127.0.0.1", "127.1.2.3", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "[::1]"]],
  [
    "private",
    [
      ...["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
      ...["100.64.0.0", "100.127.255.255", "fc00::", "fd12:3456::1", "fdff:ffff::1"],
    ],
  ],
  ["link_local", ["169.254.0.0", "169.254.255.255", "fe80::", "fe80::1%eth0", "febf:ffff::1"]],
  [
    "metadata",
    [
      ...["169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192"],
      ...["168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"],
    ],
  ],
  ["multicast", ["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ffff:ffff::"]],
  [
    "reserved",
    [
      ...["0.0.0.0", "0.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1", "192.88.99.1", "198.18.0.0"],
      ...["198.19.255.255", "198.51.100.1", "203.0.113.1", "240.0.0.0", "255.255.255.255"],
      ...["::", "::2", "fec0::1", "feff::1", "100::1", "100:0:0:1::1", "2001::", "2001:2::1", "2001:20::1"],
      ...["2001:1ff::1", "2001:db8::1", "3fff::", "3fff:fff::1", "5f00::1", "4000::1", "e000::1", "1fff::1"],
      ...["", "name", "1.2.3.4.5", "::1::", "12345::", "127.0.0.1:80", "[]"],
    ],
  ],
]

test.each(classes.flatMap(([name, addresses]) => addresses.map((address) => [address, name] as const)))(
  "%p is %s",
  (address, name) => expect(classify(address)).toBe(name),
)

/** Every way to write an IPv4 address into an IPv6 one. */
const hex = ([a, b, c, d]: number[]) => [(a! << 8) | b!, (c! << 8) | d!].map((group) => group.toString(16))
const wrappings: Record<string, (four: number[]) => string> = {
  "mapped, dotted": (four) => `::ffff:${four.join(".")}`,
  "mapped, hex": (four) => `::ffff:${hex(four).join(":")}`,
  "mapped, long": (four) => `0:0:0:0:0:ffff:${hex(four).join(":")}`,
  compatible: (four) => `::${four.join(".")}`,
  translated: (four) => `::ffff:0:${four.join(".")}`,
  NAT64: (four) => `64:ff9b::${hex(four).join(":")}`,
  "NAT64 of a site": (four) => `64:ff9b:1::${hex(four).join(":")}`,
  "6to4": (four) => `2002:${hex(four).join(":")}::1`,
  Teredo: (four) => `2001:0:4136:e378:8000:63bf:${hex(four.map((byte) => byte ^ 255)).join(":")}`,
  "ISATAP, local": (four) => `2606:4700::5efe:${hex(four).join(":")}`,
  "ISATAP, global": (four) => `2606:4700::200:5efe:${hex(four).join(":")}`,
}

test.each(Object.entries(wrappings))("an address is what it embeds (%s), and never public", (_name, wrap) => {
  for (const [name, addresses] of classes)
    for (const address of addresses.filter((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each))) {
      const wrapped = wrap(address.split(".").map(Number))
      // "::" and "::1" are themselves, and 0.0.0.0/8 is reserved either way.
      expect([wrapped, classify(wrapped)]).toEqual([wrapped, name === "public" ? "embedded" : name])
      if (!/^::0\.0\.0\.[01]$/.test(wrapped)) expect([wrapped, isEmbedding(wrapped)]).toEqual([wrapped, true])
    }
})

test.each(["8.8.8.8", "127.0.0.1", "::1", "::", "2606:4700::1111", "fe80::1", "name"])(
  "%s embeds nothing",
  (address) => expect(isEmbedding(address)).toBe(false),
)

test("any text has a class, and any IPv6 address outside 2000::/3 is not public", () => {
  fc.assert(fc.property(fc.string(), (text) => expect(typeof classify(text)).toBe("string")))
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
      const address = groups.map((group) => group.toString(16)).join(":")
      if (classify(address) === "public") expect(groups[0]! >> 13).toBe(1)
    }),
  )
})

test("a megabyte of hostile text is classified at once", async () => {
  for (const text of [":", "1", "%", "[", "]", ".", "f:", "1.", "::%", "٣"]) {
    const whole = text.repeat(1_048_576 / text.length)
    expect(await cpuOf(() => classify(whole))).toBeLessThan(300)
  }
})
