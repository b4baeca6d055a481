/** What models read of the tools. */
export const tools = `[
  {
    "name": "count",
    "description": "Counts a text: words, lines, characters (Unicode code points) and bytes (UTF-8). A word is a run of letters, digits, and apostrophes or hyphens within; each Chinese or Japanese character counts as one.",
    "input_schema": {
      "type": "object",
      "properties": { "text": { "type": "string", "description": "What to count." } },
      "required": ["text"],
      "additionalProperties": false
    }
  },
  {
    "name": "convert_case",
    "description": "Writes a text in another case.",
    "input_schema": {
      "type": "object",
      "properties": {
        "text": { "type": "string", "description": "What to convert." },
        "to": {
          "type": "string",
          "enum": ["upper", "lower", "title", "sentence", "camel", "pascal", "snake", "kebab", "constant"],
          "description": "The case. From camel on, the text becomes one name without spaces."
        }
      },
      "required": ["text", "to"],
      "additionalProperties": false
    }
  },
  {
    "name": "diff",
    "description": "Compares two texts by lines. Returns a unified diff; nothing if they are the same.",
    "input_schema": {
      "type": "object",
      "properties": {
        "before": { "type": "string", "description": "The older text." },
        "after": { "type": "string", "description": "The newer text." },
        "context": { "type": "integer", "minimum": 0, "maximum": 100, "default": 3, "description": "Unchanged lines around each change." }
      },
      "required": ["before", "after"],
      "additionalProperties": false
    }
  },
  {
    "name": "match",
    "description": "Finds what a regular expression matches, in time that grows with the text only: there are no backreferences and no lookaround. Returns each match with its line, its position in code points, and its groups.",
    "input_schema": {
      "type": "object",
      "properties": {
        "text": { "type": "string", "description": "Where to look." },
        "pattern": { "type": "string", "description": "As in JavaScript with the flag u." },
        "flags": { "type": "string", "pattern": "^[ims]*$", "description": "i: upper and lower case are the same; m: ^ and $ are at each line; s: a dot is a line's end, too." },
        "limit": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "description": "How many matches at most." }
      },
      "required": ["text", "pattern"],
      "additionalProperties": false
    }
  },
  {
    "name": "replace",
    "description": "Replaces what a regular expression matches. The same expressions as match.",
    "input_schema": {
      "type": "object",
      "properties": {
        "text": { "type": "string", "description": "Where to replace." },
        "pattern": { "type": "string", "description": "As in JavaScript with the flag u." },
        "flags": { "type": "string", "pattern": "^[ims]*$", "description": "As for match." },
        "replacement": { "type": "string", "description": "What to put there; $1 is the first group, $<name> a named one, $& the whole match, $$ a dollar." },
        "first": { "type": "boolean", "default": false, "description": "Only the first match." }
      },
      "required": ["text", "pattern", "replacement"],
      "additionalProperties": false
    }
  }
]`
