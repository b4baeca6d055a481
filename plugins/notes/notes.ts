/** Keeps short notes in a store: what a store is for, and how a plugin tells what it may not do. */
import {
  done,
  explain,
  failed,
  HostError,
  Json,
  Kind,
  readCall,
  storeGet,
  storeList,
  storePut,
  storeRemove,
  writeText,
} from "../sdk/weft"

export { weft_alloc } from "../sdk/weft"

const store = "notes"
const note_length_max = 20000
/** As many keys as the gateway lists at once, so that adding one looks at one page. */
const notes_max = 1000

export function describe(): u64 {
  return writeText(`[
    {
      "name": "add",
      "description": "Keeps a note for later. Returns its id.",
      "input_schema": {
        "type": "object",
        "properties": { "text": { "type": "string", "minLength": 1, "maxLength": ${note_length_max}, "description": "What to keep." } },
        "required": ["text"],
        "additionalProperties": false
      }
    },
    {
      "name": "list",
      "description": "Lists all notes with their ids, the oldest first.",
      "input_schema": { "type": "object", "properties": {}, "additionalProperties": false }
    },
    {
      "name": "search",
      "description": "Finds the notes that contain all of these words, in upper or lower case.",
      "input_schema": {
        "type": "object",
        "properties": { "words": { "type": "string", "minLength": 1, "description": "The words, with spaces between." } },
        "required": ["words"],
        "additionalProperties": false
      }
    },
    {
      "name": "remove",
      "description": "Removes a note.",
      "input_schema": {
        "type": "object",
        "properties": { "id": { "type": "string", "description": "As list, search or add give it." } },
        "required": ["id"],
        "additionalProperties": false
      }
    }
  ]`)
}

export function handle_tool_call(pointer: usize, length: i32): u64 {
  const call = readCall(pointer, length)
  if (call.name == "add") return add(call.input.get("text").text())
  if (call.name == "list") return find("")
  if (call.name == "search") return find(call.input.get("words").text())
  if (call.name == "remove") return remove(call.input.get("id").text())
  return failed("There is no such tool.")
}

function add(text: string): u64 {
  if (text.trim() == "") return failed("The note is empty.")
  if (text.length > note_length_max) return failed(`A note has at most ${note_length_max} characters.`)
  const listed = storeList(store)
  if (!listed.ok) return refused(listed.error)
  const keys = Json.parse(listed.text()).items
  if (keys.length >= notes_max) return failed(`There are ${notes_max} notes already; remove some.`)
  const last = keys.length == 0 ? 0 : I32.parseInt(keys[keys.length - 1].text())
  const id = `${(last + 1).toString().padStart(6, "0")}-${sum(text)}`
  const error = storePut(store, id, text)
  return error == HostError.None ? done(`Kept as ${id}.`) : refused(error)
}

/** Two calls at once may come to the same number: with this behind it both notes are kept. */
function sum(text: string): string {
  let hash: u32 = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = (hash ^ (text.charCodeAt(i) as u32)) * 0x01000193
  return hash.toString(36)
}

function find(words: string): u64 {
  const listed = storeList(store)
  if (!listed.ok) return refused(listed.error)
  const keys = Json.parse(listed.text()).items
  const wanted = words.toLowerCase().split(" ")
  const found = new Json(Kind.List)
  for (let i = 0; i < keys.length; i++) {
    const note = storeGet(store, keys[i].text())
    // Another call may have removed it by now.
    if (note.error == HostError.NotFound) continue
    if (!note.ok) return refused(note.error)
    if (!hasAll(note.text().toLowerCase(), wanted)) continue
    found.add(new Json(Kind.Object).set("id", keys[i].text()).set("text", note.text()))
  }
  if (found.items.length > 0) return done(found.toString())
  return done(words == "" ? "There are no notes." : "No note has all of these words.")
}

function hasAll(text: string, words: string[]): bool {
  for (let i = 0; i < words.length; i++) if (!text.includes(words[i])) return false
  return true
}

function remove(id: string): u64 {
  if (id == "") return failed("There is no id.")
  const note = storeGet(store, id)
  if (note.error == HostError.NotFound) return failed("There is no note with this id.")
  const error = note.ok ? storeRemove(store, id) : note.error
  return error == HostError.None ? done(`Removed ${id}.`) : refused(error)
}

function refused(error: HostError): u64 {
  return failed(`The notes cannot be reached: ${explain(error)}.`)
}
