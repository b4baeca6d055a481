/** Asks JSON interfaces on the hosts that it is granted, and returns the part that is wanted. */
import { done, explain, failed, HostError, httpFetch, Json, Kind, readCall, writeText } from "../sdk/weft"

export { weft_alloc } from "../sdk/weft"

/** What a model is shown of an answer that is no JSON. */
const shown_max = 2000

const shared = `
  "url": { "type": "string", "description": "The whole URL." },
  "with_token": { "type": "boolean", "default": false, "description": "Send the token that the operator has set for this plugin, as a Bearer token." },
  "headers": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Further headers." },
  "pointer": { "type": "string", "description": "Which part of the answer to return, as a JSON pointer such as /items/0/name; all of it by default." }`

export function describe(): u64 {
  return writeText(`[
    {
      "name": "get",
      "description": "Gets JSON from a URL on a host that this plugin is granted.",
      "input_schema": { "type": "object", "properties": { ${shared} }, "required": ["url"], "additionalProperties": false }
    },
    {
      "name": "post",
      "description": "Posts JSON to a URL on a host that this plugin is granted, and returns the JSON that it answers.",
      "input_schema": {
        "type": "object",
        "properties": { ${shared}, "body": { "description": "What to post: any JSON value." } },
        "required": ["url", "body"],
        "additionalProperties": false
      }
    }
  ]`)
}

export function handle_tool_call(pointer: usize, length: i32): u64 {
  const call = readCall(pointer, length)
  const input = call.input
  const headers = new Json(Kind.Object).set("accept", "application/json")
  const request = new Json(Kind.Object).set("url", input.get("url").text())
  if (call.name == "post") {
    headers.set("content-type", "application/json")
    request.set("method", "POST").set("body", input.get("body").toString())
  } else if (call.name != "get") return failed("There is no such tool.")
  const given = input.get("headers").fields.keys()
  for (let i = 0; i < given.length; i++) {
    headers.set(given[i].toLowerCase(), input.get("headers").get(given[i]).text())
  }
  // The plugin never sees it: the gateway fills it in on the way, where it is granted.
  if (input.get("with_token").bool()) headers.set("authorization", "Bearer {{secret:HTTP_JSON_TOKEN}}")
  return answer(request.set("headers", headers), input.get("pointer").text())
}

function answer(request: Json, pointer: string): u64 {
  const response = httpFetch(request)
  if (response.error == HostError.Denied)
    return failed("This plugin is not granted that host, port or scheme, or no token for it.")
  if (!response.ok) return failed(`The request failed: ${explain(response.error)}.`)
  const is_success = response.status >= 200 && response.status < 300
  const value = Json.parse(response.body)
  if (!is_success)
    return failed(`It answered with status ${response.status}: ${response.body.substr(0, shown_max)}`)
  if (!value.exists) return failed(`It answered with no JSON: ${response.body.substr(0, shown_max)}`)
  const part = pick(value, pointer)
  return part.exists ? done(part.toString()) : failed(`The answer has nothing at ${pointer}.`)
}

/** By RFC 6901. */
function pick(value: Json, pointer: string): Json {
  if (pointer == "") return value
  if (!pointer.startsWith("/")) return new Json(Kind.Nothing)
  const words = pointer.substring(1).split("/")
  let part = value
  for (let i = 0; i < words.length; i++) {
    const word = words[i].replaceAll("~1", "/").replaceAll("~0", "~")
    part = part.kind == Kind.List ? part.item(toIndex(word)) : part.get(word)
  }
  return part
}

/** -1 for what is no index. */
function toIndex(word: string): i32 {
  if (word.length == 0 || word.length > 9 || (word.length > 1 && word.startsWith("0"))) return -1
  for (let i = 0; i < word.length; i++) {
    if (word.charCodeAt(i) < 0x30 || word.charCodeAt(i) > 0x39) return -1
  }
  return I32.parseInt(word)
}
