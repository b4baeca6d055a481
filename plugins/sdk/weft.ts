/**
 * What a Weft plugin in AssemblyScript needs, in one file: reading what it is called with, answering, JSON, and the
 * gateway's functions. Version 1 of the plugin ABI.
 *
 * Every call of a plugin gets an instance of its own, which is thrown away afterwards. So memory is never freed
 * (`--runtime stub`), and nothing that is kept in a variable is there at the next call: that is what a store is for.
 */

@external("weft", "http_fetch")
declare function http_fetch(pointer: usize, length: i32): i32
@external("weft", "store_get")
declare function store_get(pointer: usize, length: i32): i32
@external("weft", "store_put")
declare function store_put(pointer: usize, length: i32): i32
@external("weft", "store_list")
declare function store_list(pointer: usize, length: i32): i32
@external("weft", "log")
declare function host_log(pointer: usize, length: i32): i32
@external("weft", "take_result")
declare function take_result(pointer: usize): void

// ---- How a call comes in and goes out ----

/** Where the gateway puts what it calls the plugin with. Every plugin exports it. */
export function weft_alloc(length: i32): usize {
  return heap.alloc(length)
}

/** What the gateway put at this place. */
export function readBytes(pointer: usize, length: i32): ArrayBuffer {
  const bytes = new ArrayBuffer(length)
  memory.copy(changetype<usize>(bytes), pointer, length)
  return bytes
}

export function readText(pointer: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(pointer, length)
}

/** The result of an export, from bytes: where they are in the upper half, how many in the lower. */
export function writeBytes(bytes: ArrayBuffer): u64 {
  return ((changetype<usize>(bytes) as u64) << 32) | (bytes.byteLength as u64)
}

export function writeText(text: string): u64 {
  return writeBytes(toUtf8(text))
}

/** A tool call, as `handle_tool_call` gets it. */
export class Call {
  constructor(
    /** Which tool; a plugin may have several. */
    public name: string,
    /** What the model gave, as the tool's input_schema has it. */
    public input: Json,
  ) {}
}

export function readCall(pointer: usize, length: i32): Call {
  const call = Json.parse(readText(pointer, length))
  return new Call(call.get("name").text(), call.get("input"))
}

/** The answer of a tool, as the model reads it. */
export function done(content: string): u64 {
  return new Json(Kind.Object).set("content", content).set("is_error", false).write()
}

/** A tool's failure: a sentence that tells the model what to do otherwise. */
export function failed(content: string): u64 {
  return new Json(Kind.Object).set("content", content).set("is_error", true).write()
}

// ---- What the gateway does for a plugin, as far as it is granted ----

/** What a host function returns where it has no result. */
export enum HostError {
  None = 0,
  /** It is not granted, or the agent's rules do not allow it. */
  Denied = -1,
  NotFound = -2,
  Invalid = -3,
  TooLarge = -4,
  /** It was tried and failed; the gateway's log says why. */
  Failed = -5,
  Unknown = -6,
}

/** The number in words. */
export function explain(error: HostError): string {
  switch (error) {
    case HostError.None:
      return "nothing went wrong"
    case HostError.Denied:
      return "it is not granted"
    case HostError.NotFound:
      return "there is no such thing"
    case HostError.Invalid:
      return "the gateway did not understand the request"
    case HostError.TooLarge:
      return "it is too large"
    case HostError.Failed:
      return "it was tried and failed"
    default:
      return "the gateway has no such function"
  }
}

/** Of a host function: either `error` is set or `bytes` are the result. */
export class Result {
  constructor(
    public error: HostError,
    public bytes: ArrayBuffer,
  ) {}
  get ok(): bool {
    return this.error == HostError.None
  }
  text(): string {
    return String.UTF8.decode(this.bytes)
  }
}

export class Response {
  error: HostError = HostError.None
  status: i32 = 0
  /** By their names in lower case. */
  headers: Json = new Json(Kind.Object)
  /** As text; "" where it is no UTF-8. */
  body: string = ""
  /** What is no UTF-8, in base64. */
  bodyBase64: string = ""
  get ok(): bool {
    return this.error == HostError.None
  }
}

/** `{url, method?, headers?, body? | body_base64?}`. Needs the grant `http:<host>`. */
export function httpFetch(request: Json): Response {
  const argument = request.toBytes()
  const result = take(http_fetch(changetype<usize>(argument), argument.byteLength))
  const response = new Response()
  response.error = result.error
  if (!result.ok) return response
  const answer = Json.parse(result.text())
  response.status = answer.get("status").number() as i32
  response.headers = answer.get("headers")
  response.body = answer.get("body").text()
  response.bodyBase64 = answer.get("body_base64").text()
  return response
}

/** A GET and nothing else. */
export function get(url: string): Response {
  return httpFetch(new Json(Kind.Object).set("url", url))
}

/** The value of a key; `HostError.NotFound` where there is none. Needs the grant `store:<store>`, as do the next three. */
export function storeGet(store: string, key: string): Result {
  const argument = new Json(Kind.Object).set("store", store).set("key", key).toBytes()
  return take(store_get(changetype<usize>(argument), argument.byteLength))
}

export function storePut(store: string, key: string, value: string): HostError {
  return put(store, key, Json.of(value))
}

/** Removing what is not there is no error. */
export function storeRemove(store: string, key: string): HostError {
  return put(store, key, new Json(Kind.Null))
}

/** A JSON list of the first 1,000 keys that begin with `prefix` and come behind `after`, in order. */
export function storeList(store: string, prefix: string = "", after: string = ""): Result {
  const request = new Json(Kind.Object).set("store", store).set("prefix", prefix).set("after", after)
  const argument = request.toBytes()
  return take(store_list(changetype<usize>(argument), argument.byteLength))
}

/** A line of the gateway's log, under the plugin's name. */
export function log(text: string): void {
  const argument = toUtf8(text)
  host_log(changetype<usize>(argument), argument.byteLength)
}

function put(store: string, key: string, value: Json): HostError {
  const request = new Json(Kind.Object).set("store", store).set("key", key).set("value", value)
  const argument = request.toBytes()
  return take(store_put(changetype<usize>(argument), argument.byteLength)).error
}

function take(length: i32): Result {
  if (length < 0) return new Result(length, new ArrayBuffer(0))
  const bytes = new ArrayBuffer(length)
  take_result(changetype<usize>(bytes))
  return new Result(HostError.None, bytes)
}

// ---- JSON ----

export enum Kind {
  /** What is not there: the field that an object lacks, or text that is no JSON. */
  Nothing,
  Null,
  Boolean,
  Number,
  Text,
  List,
  Object,
}

/**
 * A JSON value. What is not there reads as `Kind.Nothing` all the way down, so
 * `json.get("a").get("b").text("none")` needs no check in between. Numbers keep the digits that they came with.
 */
export class Json {
  private raw: string = ""
  private flag: bool = false
  /** Of a list. */
  items: Json[] = []
  /** Of an object, in their order. */
  fields: Map<string, Json> = new Map()

  constructor(public kind: Kind) {}

  /** `Kind.Nothing` for what is no JSON, or nested deeper than 100 levels. */
  static parse(text: string): Json {
    const parser = new Parser(text)
    const value = parser.value(0)
    parser.space()
    return parser.failed || parser.at < text.length ? new Json(Kind.Nothing) : value
  }

  /** Of a string, number, boolean or Json. */
  static of<T>(value: T): Json {
    if (isString<T>()) {
      const json = new Json(Kind.Text)
      json.raw = value as string
      return json
    } else if (isBoolean<T>()) {
      const json = new Json(Kind.Boolean)
      json.flag = value as bool
      return json
    } else if (isInteger<T>()) {
      return Json.digits(value.toString())
    } else if (isFloat<T>()) {
      const number = value as f64
      if (!isFinite(number)) return new Json(Kind.Null)
      // Doubles have no fractions from 2 ** 53 on, and ".0" is nothing to send.
      const whole = Math.trunc(number) == number && Math.abs(number) < 9007199254740992
      return Json.digits(whole ? (number as i64).toString() : number.toString())
    } else {
      return value as Json
    }
  }

  /** A number as it is to be written. */
  static digits(raw: string): Json {
    const json = new Json(Kind.Number)
    json.raw = raw
    return json
  }

  /** A field of an object. */
  get(name: string): Json {
    return this.fields.has(name) ? this.fields.get(name) : new Json(Kind.Nothing)
  }

  item(index: i32): Json {
    return index >= 0 && index < this.items.length ? this.items[index] : new Json(Kind.Nothing)
  }

  set<T>(name: string, value: T): Json {
    this.fields.set(name, Json.of(value))
    return this
  }

  add<T>(value: T): Json {
    this.items.push(Json.of(value))
    return this
  }

  get exists(): bool {
    return this.kind != Kind.Nothing
  }

  /** The text, or `otherwise` for whatever is none. */
  text(otherwise: string = ""): string {
    return this.kind == Kind.Text ? this.raw : otherwise
  }

  number(otherwise: f64 = 0): f64 {
    return this.kind == Kind.Number ? parseFloat(this.raw) : otherwise
  }

  bool(otherwise: bool = false): bool {
    return this.kind == Kind.Boolean ? this.flag : otherwise
  }

  toBytes(): ArrayBuffer {
    const writer = new Writer()
    this.writeTo(writer)
    return writer.bytes()
  }

  toString(): string {
    return String.UTF8.decode(this.toBytes())
  }

  /** As the result of an export. */
  write(): u64 {
    return writeBytes(this.toBytes())
  }

  private writeTo(writer: Writer): void {
    switch (this.kind) {
      case Kind.Boolean:
        return writer.plain(this.flag ? "true" : "false")
      case Kind.Number:
        return writer.plain(this.raw)
      case Kind.Text:
        return writer.quoted(this.raw)
      case Kind.List:
        writer.plain("[")
        for (let i = 0; i < this.items.length; i++) {
          if (i > 0) writer.plain(",")
          this.items[i].writeTo(writer)
        }
        return writer.plain("]")
      case Kind.Object: {
        const names = this.fields.keys()
        writer.plain("{")
        for (let i = 0; i < names.length; i++) {
          if (i > 0) writer.plain(",")
          writer.quoted(names[i])
          writer.plain(":")
          this.fields.get(names[i]).writeTo(writer)
        }
        return writer.plain("}")
      }
      default:
        return writer.plain("null")
    }
  }
}

/** UTF-8 that grows. Whatever is no character, such as half of a surrogate pair, becomes U+FFFD. */
export class Writer {
  private at: usize = heap.alloc(1024)
  private length: usize = 0
  private room: usize = 1024

  plain(text: string): void {
    this.grow((text.length as usize) * 3)
    this.length += String.UTF8.encodeUnsafe(
      changetype<usize>(text),
      text.length,
      this.at + this.length,
      false,
      String.UTF8.ErrorMode.REPLACE,
    )
  }

  quoted(text: string): void {
    this.plain('"')
    let from = 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x20 && code != 0x22 && code != 0x5c) continue
      this.plain(text.substring(from, i))
      this.plain(escaped(code))
      from = i + 1
    }
    this.plain(from == 0 ? text : text.substring(from))
    this.plain('"')
  }

  bytes(): ArrayBuffer {
    return readBytes(this.at, this.length as i32)
  }

  private grow(more: usize): void {
    if (this.length + more <= this.room) return
    this.room = (this.length + more) * 2
    this.at = heap.realloc(this.at, this.room)
  }
}

function toUtf8(text: string): ArrayBuffer {
  return String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE)
}

function escaped(code: i32): string {
  switch (code) {
    case 0x22:
      return '\\"'
    case 0x5c:
      return "\\\\"
    case 0x0a:
      return "\\n"
    case 0x0d:
      return "\\r"
    case 0x09:
      return "\\t"
    default:
      return "\\u00" + (code < 16 ? "0" : "") + code.toString(16)
  }
}

const levels_max = 100

class Parser {
  at: i32 = 0
  failed: bool = false

  constructor(private source: string) {}

  value(level: i32): Json {
    this.space()
    const code = this.peek()
    if (level > levels_max) return this.fail()
    if (code == 0x7b) return this.object(level)
    if (code == 0x5b) return this.list(level)
    if (code == 0x22) return Json.of(this.quoted())
    if (code == 0x2d || isDigit(code)) return this.digits()
    if (this.word("true")) return Json.of(true)
    if (this.word("false")) return Json.of(false)
    if (this.word("null")) return new Json(Kind.Null)
    return this.fail()
  }

  space(): void {
    for (;;) {
      const code = this.peek()
      if (code != 0x20 && code != 0x0a && code != 0x0d && code != 0x09) return
      this.at++
    }
  }

  private object(level: i32): Json {
    const object = new Json(Kind.Object)
    this.at++
    if (this.skips(0x7d)) return object
    for (;;) {
      this.space()
      if (this.peek() != 0x22) return this.fail()
      const name = this.quoted()
      if (!this.skips(0x3a)) return this.fail()
      object.fields.set(name, this.value(level + 1))
      if (this.failed) return object
      if (this.skips(0x2c)) continue
      return this.skips(0x7d) ? object : this.fail()
    }
  }

  private list(level: i32): Json {
    const list = new Json(Kind.List)
    this.at++
    if (this.skips(0x5d)) return list
    for (;;) {
      list.items.push(this.value(level + 1))
      if (this.failed) return list
      if (this.skips(0x2c)) continue
      return this.skips(0x5d) ? list : this.fail()
    }
  }

  private quoted(): string {
    const start = ++this.at
    while (this.at < this.source.length) {
      const code = this.peek()
      if (code == 0x22) return this.source.substring(start, this.at++)
      if (code == 0x5c) return this.escapes(start)
      if (code < 0x20) break
      this.at++
    }
    this.failed = true
    return ""
  }

  /** The rest of a string with escapes in it, of which `start` up to here is plain. */
  private escapes(start: i32): string {
    let end = this.at
    while (end < this.source.length && this.source.charCodeAt(end) != 0x22) {
      end += this.source.charCodeAt(end) == 0x5c ? 2 : 1
    }
    const units = heap.alloc(((end - start) as usize) * 2)
    let length = this.at - start
    memory.copy(units, changetype<usize>(this.source) + ((start as usize) << 1), (length as usize) << 1)
    while (this.at < this.source.length) {
      let code = this.source.charCodeAt(this.at++)
      if (code == 0x22) return String.UTF16.decodeUnsafe(units, (length as usize) << 1)
      if (code < 0x20) break
      if (code == 0x5c) {
        code = this.escape()
        if (code < 0) break
      }
      store<u16>(units + ((length++ as usize) << 1), code as u16)
    }
    this.failed = true
    return ""
  }

  private escape(): i32 {
    const code = this.peek()
    this.at++
    switch (code) {
      case 0x22:
      case 0x5c:
      case 0x2f:
        return code
      case 0x62:
        return 8
      case 0x66:
        return 12
      case 0x6e:
        return 10
      case 0x72:
        return 13
      case 0x74:
        return 9
      case 0x75: {
        let value = 0
        for (let i = 0; i < 4; i++) {
          const digit = hexadecimal(this.peek())
          if (digit < 0) return -1
          value = value * 16 + digit
          this.at++
        }
        return value
      }
      default:
        return -1
    }
  }

  private digits(): Json {
    const start = this.at
    if (this.peek() == 0x2d) this.at++
    if (this.peek() == 0x30) this.at++
    else if (!this.run()) return this.fail()
    if (this.peek() == 0x2e) {
      this.at++
      if (!this.run()) return this.fail()
    }
    if ((this.peek() | 32) == 0x65) {
      this.at++
      if (this.peek() == 0x2b || this.peek() == 0x2d) this.at++
      if (!this.run()) return this.fail()
    }
    return Json.digits(this.source.substring(start, this.at))
  }

  /** One digit or more. */
  private run(): bool {
    const start = this.at
    while (isDigit(this.peek())) this.at++
    return this.at > start
  }

  private word(word: string): bool {
    if (this.source.substr(this.at, word.length) != word) return false
    this.at += word.length
    return true
  }

  private skips(code: i32): bool {
    this.space()
    if (this.peek() != code) return false
    this.at++
    return true
  }

  /** -1 at the end. */
  private peek(): i32 {
    return this.at < this.source.length ? this.source.charCodeAt(this.at) : -1
  }

  private fail(): Json {
    this.failed = true
    return new Json(Kind.Nothing)
  }
}

function isDigit(code: i32): bool {
  return code >= 0x30 && code <= 0x39
}

function hexadecimal(code: i32): i32 {
  if (isDigit(code)) return code - 0x30
  const lower = code | 32
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1
}
