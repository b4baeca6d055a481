mod weft;

use weft::Json;

weft::export_channel!(DESCRIPTION, parse, format);

/// Which platform it speaks for.
const DESCRIPTION: &str = r#"{ "name": "NAME", "type": "channel_adapter", "channel": "NAME" }"#;

/// From the platform's request to a message. What is none for an agent is `{"ignore": true}`.
fn parse(request: &[u8]) -> Json {
    let event = Json::parse(&String::from_utf8_lossy(request)).unwrap_or(Json::Null);
    let (text, from) = (event.get("text").text(), event.get("from").text());
    if text.is_empty() {
        return Json::object([("ignore", Json::Bool(true))]);
    }
    let peer = if from.is_empty() { "somebody" } else { from };
    Json::object([("content", text.into()), ("peer", peer.into()), ("reply", Json::object([("to", from.into())]))])
}

/// From `{content, reply?}` to what the platform gets: bytes, or a request `{url, method?, headers?, body}` to send.
fn format(answer: Json) -> Vec<u8> {
    let to = answer.get("reply").get("to").text();
    let text = answer.get("content").text();
    Json::object([("to", to.into()), ("text", text.into())]).to_string().into_bytes()
}
