mod weft;

use weft::Call;

weft::export_tool!(DESCRIPTION, handle);

/// What models read of it. Several tools are a list of such objects.
const DESCRIPTION: &str = r#"{
  "name": "NAME",
  "description": "Says how long a text is.",
  "input_schema": {
    "type": "object",
    "properties": { "text": { "type": "string", "description": "Any text." } },
    "required": ["text"],
    "additionalProperties": false
  }
}"#;

fn handle(call: Call) -> Result<String, String> {
    match call.input.get("text").text() {
        "" => Err("The text is empty.".to_string()),
        text => Ok(format!("\"{text}\" has {} characters.", text.chars().count())),
    }
}
