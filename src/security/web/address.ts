import ipaddr from "ipaddr.js"

/**
 * What an address leads to. Only "public" is reached without further ado; "loopback" and "private" where the operator
 * opened that host and port; nothing else ever. "embedded" is a public IPv4 address inside an IPv6 one.
 */
export type AddressClass =
  | "public"
  | "loopback"
  | "private"
  | "link_local"
  | "metadata"
  | "multicast"
  | "reserved"
  | "embedded"

type Ranges = [AddressClass, string[]][]

// The metadata services of the clouds come first: some of them lie in ranges that are harmless otherwise, and
// 168.63.129.16 (Azure) is in a public one.
const ranges4: Ranges = [
  [
    "metadata",
    [
      "169.254.169.254/32",
      "169.254.170.2/32",
      "169.254.170.23/32",
      "100.100.100.200/32",
      "192.0.0.192/32",
      "168.63.129.16/32",
    ],
  ],
  ["loopback", ["127.0.0.0/8"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]],
  ["link_local", ["169.254.0.0/16"]],
  ["multicast", ["224.0.0.0/4"]],
  [
    "reserved",
    [
      "0.0.0.0/8",
      "192.0.0.0/24",
      "192.0.2.0/24",
      "192.88.99.0/24",
      "198.18.0.0/15",
      "198.51.100.0/24",
      "203.0.113.0/24",
      "240.0.0.0/4",
    ],
  ],
]

const ranges6: Ranges = [
  ["metadata", ["fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128"]],
  ["loopback", ["::1/128"]],
  ["reserved", ["::/128"]],
  ["private", ["fc00::/7"]],
  ["link_local", ["fe80::/10"]],
  ["multicast", ["ff00::/8"]],
  // 2001::/23 is for protocols (Teredo, benchmarks, hash identities), the next three for documents and 6to4.
  ["reserved", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]],
  ["public", ["2000::/3"]],
]

const parsed = (ranges: Ranges) =>
  ranges.flatMap(([name, cidrs]) => cidrs.map((cidr) => [name, ipaddr.parseCIDR(cidr)] as const))
const table4 = parsed(ranges4)
const table6 = parsed(ranges6)

/** Where an IPv4 address stands in an IPv6 one, as the index of its first byte. */
const embeddings: [string, number][] = [
  ["::ffff:0:0/96", 12], // mapped
  ["::ffff:0:0:0/96", 12], // translated
  ["::/96", 12], // compatible
  ["64:ff9b::/96", 12], // NAT64
  ["64:ff9b:1::/48", 12], // NAT64 of a site
  ["2002::/16", 2], // 6to4
  ["2001::/32", 12], // Teredo, where the client's is inverted
]
const embedding_table = embeddings.map(([cidr, at]) => [ipaddr.parseCIDR(cidr), at, cidr] as const)

/** Takes an address as a resolver or the URL parser gives it; what is no address is "reserved". */
export function classify(address: string): AddressClass {
  const bare = toBare(address)
  if (bare === undefined || !ipaddr.isValid(bare)) return "reserved"
  const parsed = ipaddr.parse(bare)
  if (parsed.kind() === "ipv4") return classOf(parsed, table4) ?? "public"
  const named = classOf(parsed, table6)
  if (named === "loopback" || named === "metadata" || isUnspecified(parsed)) return named ?? "reserved"
  const inner = embeddedIn(parsed as ipaddr.IPv6)
  if (inner === undefined) return named ?? "reserved"
  const outer = classOf(inner, table4) ?? "public"
  return outer === "public" ? "embedded" : outer
}

/**
 * Whether it is an IPv6 address that stands for an IPv4 one. Such an address is never meant by anybody, and where it
 * leads depends on the network; so it is refused even where what it embeds is opened.
 */
export function isEmbedding(address: string): boolean {
  const bare = toBare(address)
  if (bare === undefined || !ipaddr.IPv6.isValid(bare)) return false
  const parsed = ipaddr.IPv6.parse(bare)
  return parsed.range() !== "loopback" && !isUnspecified(parsed) && embeddedIn(parsed) !== undefined
}

/** The longest that IPv6 is written, with brackets and a zone; nothing longer is looked at. */
const address_chars_max = 64

/** Without the brackets of a URL and the zone of an interface. */
const toBare = (address: string) =>
  address.length > address_chars_max ? undefined : address.replace(/^\[|\]$/g, "").replace(/%.*$/s, "")

const isUnspecified = (address: ipaddr.IPv4 | ipaddr.IPv6) => address.range() === "unspecified"

function classOf(address: ipaddr.IPv4 | ipaddr.IPv6, table: typeof table4): AddressClass | undefined {
  return table.find(([, cidr]) => address.match(cidr))?.[0]
}

function embeddedIn(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray()
  for (const [cidr, at, text] of embedding_table) {
    if (!address.match(cidr)) continue
    const four = bytes.slice(at, at + 4)
    return new ipaddr.IPv4(text === "2001::/32" ? four.map((byte) => byte ^ 0xff) : four)
  }
  // ISATAP has no prefix of its own: the last 64 bits are 0000:5efe or 0200:5efe, and then the address.
  const isatap = (bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe
  return isatap ? new ipaddr.IPv4(bytes.slice(12, 16)) : undefined
}
