//! What a Weft plugin in Rust needs, in one file without crates: reading what it is called with, answering, JSON, and
//! the gateway's functions. Version 1 of the plugin ABI.
//!
//! Every call of a plugin gets an instance of its own, which is thrown away afterwards. So nothing that is kept in a
//! static is there at the next call: that is what a store is for.
//!
//! ```text
//! mod weft;
//! use weft::{Call, Json};
//! weft::export_tool!(DESCRIPTION, handle);
//! const DESCRIPTION: &str = r#"{"name": "shout", "description": "…", "input_schema": {"type": "object"}}"#;
//! fn handle(call: Call) -> Result<String, String> { Ok(call.input.get("text").text().to_uppercase()) }
//! ```
#![allow(dead_code)]

use std::fmt;

mod import {
    #[link(wasm_import_module = "weft")]
    extern "C" {
        pub fn http_fetch(at: *const u8, length: usize) -> i32;
        pub fn store_get(at: *const u8, length: usize) -> i32;
        pub fn store_put(at: *const u8, length: usize) -> i32;
        pub fn store_list(at: *const u8, length: usize) -> i32;
        pub fn log(at: *const u8, length: usize) -> i32;
        pub fn take_result(at: *mut u8);
    }
}

// ---- How a call comes in and goes out ----

/// Where the gateway puts what it calls the plugin with.
#[no_mangle]
pub extern "C" fn weft_alloc(length: usize) -> *mut u8 {
    Box::leak(vec![0u8; length].into_boxed_slice()).as_mut_ptr()
}

/// What the gateway put at this place, which `weft_alloc` gave it.
pub fn read(at: *const u8, length: usize) -> &'static [u8] {
    // The gateway wrote as many bytes there as it asked for.
    unsafe { std::slice::from_raw_parts(at, length) }
}

/// The result of an export: where it is in the upper half, how long it is in the lower.
pub fn write(bytes: Vec<u8>) -> u64 {
    let bytes = Box::leak(bytes.into_boxed_slice());
    (bytes.as_ptr() as usize as u64) << 32 | bytes.len() as u64
}

/// A tool call.
pub struct Call {
    /// Which tool; a plugin may have several.
    pub name: String,
    /// What the model gave, as the tool's input_schema has it.
    pub input: Json,
}

/// For `export_tool!`: `Err` is a failure, with a sentence that tells the model what to do otherwise.
pub fn answer(bytes: &[u8], handle: fn(Call) -> Result<String, String>) -> u64 {
    let call = Json::parse(&String::from_utf8_lossy(bytes)).unwrap_or(Json::Null);
    let name = call.get("name").text().to_string();
    let answer = handle(Call { name, input: call.get("input").clone() });
    let is_error = Json::Bool(answer.is_err());
    let content = Json::Text(answer.unwrap_or_else(|sentence| sentence));
    let fields = vec![("content".to_string(), content), ("is_error".to_string(), is_error)];
    write(Json::Object(fields).to_string().into_bytes())
}

/// Exports a tool, or several: its description as JSON, and what it does as `fn(Call) -> Result<String, String>`.
#[macro_export]
macro_rules! export_tool {
    ($description:expr, $handle:expr) => {
        #[no_mangle]
        pub extern "C" fn describe() -> u64 {
            weft::write($description.as_bytes().to_vec())
        }
        #[no_mangle]
        pub extern "C" fn handle_tool_call(at: *const u8, length: usize) -> u64 {
            weft::answer(weft::read(at, length), $handle)
        }
    };
}

/// Exports a channel's adapter: its description as JSON, `fn(&[u8]) -> Json` from the platform's request to a message,
/// and `fn(Json) -> Vec<u8>` from `{content, reply?}` to bytes or a request.
#[macro_export]
macro_rules! export_channel {
    ($description:expr, $parse:expr, $format:expr) => {
        #[no_mangle]
        pub extern "C" fn describe() -> u64 {
            weft::write($description.as_bytes().to_vec())
        }
        #[no_mangle]
        pub extern "C" fn parse_incoming(at: *const u8, length: usize) -> u64 {
            let parse: fn(&[u8]) -> weft::Json = $parse;
            weft::write(parse(weft::read(at, length)).to_string().into_bytes())
        }
        #[no_mangle]
        pub extern "C" fn format_outgoing(at: *const u8, length: usize) -> u64 {
            let format: fn(weft::Json) -> Vec<u8> = $format;
            let text = String::from_utf8_lossy(weft::read(at, length));
            weft::write(format(weft::Json::parse(&text).unwrap_or(weft::Json::Null)))
        }
    };
}
#[allow(unused_imports)]
pub use {export_channel, export_tool};

// ---- What the gateway does for a plugin, as far as it is granted ----

/// Why a host function has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// It is not granted, or the agent's rules do not allow it.
    Denied,
    NotFound,
    Invalid,
    TooLarge,
    /// It was tried and failed; the gateway's log says why.
    Failed,
    Unknown,
}

impl fmt::Display for HostError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            HostError::Denied => "it is not granted",
            HostError::NotFound => "there is no such thing",
            HostError::Invalid => "the gateway did not understand the request",
            HostError::TooLarge => "it is too large",
            HostError::Failed => "it was tried and failed",
            HostError::Unknown => "the gateway has no such function",
        })
    }
}

fn take(length: i32) -> Result<Vec<u8>, HostError> {
    match length {
        0.. => {
            let mut bytes = vec![0u8; length as usize];
            // The gateway writes as many bytes as it said.
            unsafe { import::take_result(bytes.as_mut_ptr()) };
            Ok(bytes)
        }
        -1 => Err(HostError::Denied),
        -2 => Err(HostError::NotFound),
        -3 => Err(HostError::Invalid),
        -4 => Err(HostError::TooLarge),
        -5 => Err(HostError::Failed),
        _ => Err(HostError::Unknown),
    }
}

fn ask(function: unsafe extern "C" fn(*const u8, usize) -> i32, request: &Json) -> Result<Vec<u8>, HostError> {
    let text = request.to_string();
    // The text lives until the call is over.
    take(unsafe { function(text.as_ptr(), text.len()) })
}

/// `{url, method?, headers?, body? | body_base64?}` to `{status, headers, body | body_base64}`; grant `http:<host>`.
pub fn http_fetch(request: &Json) -> Result<Json, HostError> {
    let bytes = ask(import::http_fetch, request)?;
    Json::parse(&String::from_utf8_lossy(&bytes)).ok_or(HostError::Failed)
}

/// The value of a key, or `NotFound`; grant `store:<store>`, as for the next three.
pub fn store_get(store: &str, key: &str) -> Result<Vec<u8>, HostError> {
    ask(import::store_get, &Json::object([("store", store.into()), ("key", key.into())]))
}

pub fn store_put(store: &str, key: &str, value: &str) -> Result<(), HostError> {
    let request = Json::object([("store", store.into()), ("key", key.into()), ("value", value.into())]);
    ask(import::store_put, &request).map(|_| ())
}

/// Removing what is not there is no error.
pub fn store_remove(store: &str, key: &str) -> Result<(), HostError> {
    let request = Json::object([("store", store.into()), ("key", key.into()), ("value", Json::Null)]);
    ask(import::store_put, &request).map(|_| ())
}

/// The first 1,000 keys that begin with `prefix` and come behind `after`, in order.
pub fn store_list(store: &str, prefix: &str, after: &str) -> Result<Vec<String>, HostError> {
    let request = Json::object([("store", store.into()), ("prefix", prefix.into()), ("after", after.into())]);
    let bytes = ask(import::store_list, &request)?;
    let keys = Json::parse(&String::from_utf8_lossy(&bytes)).ok_or(HostError::Failed)?;
    Ok(keys.items().iter().map(|key| key.text().to_string()).collect())
}

/// A line of the gateway's log, under the plugin's name.
pub fn log(text: &str) {
    // The text lives until the call is over.
    unsafe { import::log(text.as_ptr(), text.len()) };
}

// ---- JSON ----

/// Numbers keep the digits that they came with. What is not there reads as `Null` all the way down.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In their order.
    Object(Vec<(String, Json)>),
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.to_string())
    }
}

impl Json {
    pub fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
        Json::Object(fields.map(|(name, value)| (name.to_string(), value)).into())
    }

    pub fn number(value: f64) -> Json {
        if value.is_finite() { Json::Number(value.to_string()) } else { Json::Null }
    }

    /// A field of an object.
    pub fn get(&self, name: &str) -> &Json {
        let Json::Object(fields) = self else { return &Json::Null };
        fields.iter().rev().find(|(field, _)| field == name).map_or(&Json::Null, |(_, value)| value)
    }

    /// Of a list; nothing for anything else.
    pub fn items(&self) -> &[Json] {
        if let Json::List(items) = self { items } else { &[] }
    }

    /// "" for whatever is no text.
    pub fn text(&self) -> &str {
        if let Json::Text(text) = self { text } else { "" }
    }

    pub fn as_number(&self) -> Option<f64> {
        if let Json::Number(digits) = self { digits.parse().ok() } else { None }
    }

    pub fn is_true(&self) -> bool {
        *self == Json::Bool(true)
    }

    pub fn is_null(&self) -> bool {
        *self == Json::Null
    }

    /// `None` for what is no JSON, or nested deeper than 100 levels.
    pub fn parse(text: &str) -> Option<Json> {
        let mut parser = Parser { bytes: text.as_bytes(), at: 0 };
        let value = parser.value(0)?;
        parser.space();
        (parser.at == text.len()).then_some(value)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Number(digits) => out.write_str(digits),
            Json::Text(text) => quote(out, text),
            Json::List(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    item.fmt(out)?;
                }
                out.write_str("]")
            }
            Json::Object(fields) => {
                out.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    quote(out, name)?;
                    out.write_str(":")?;
                    value.fmt(out)?;
                }
                out.write_str("}")
            }
        }
    }
}

fn quote(out: &mut fmt::Formatter, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\u{0}'..='\u{1f}' => write!(out, "\\u{:04x}", character as u32)?,
            _ => fmt::Write::write_char(out, character)?,
        }
    }
    out.write_str("\"")
}

const LEVELS_MAX: usize = 100;

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, level: usize) -> Option<Json> {
        self.space();
        if level > LEVELS_MAX {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(level),
            b'[' => self.list(level),
            b'"' => self.quoted().map(Json::Text),
            b'-' | b'0'..=b'9' => self.digits(),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            _ => self.word("null", Json::Null),
        }
    }

    fn object(&mut self, level: usize) -> Option<Json> {
        let mut fields = Vec::new();
        self.at += 1;
        if self.skips(b'}') {
            return Some(Json::Object(fields));
        }
        loop {
            self.space();
            let name = self.quoted()?;
            if !self.skips(b':') {
                return None;
            }
            fields.push((name, self.value(level + 1)?));
            if self.skips(b',') {
                continue;
            }
            return self.skips(b'}').then_some(Json::Object(fields));
        }
    }

    fn list(&mut self, level: usize) -> Option<Json> {
        let mut items = Vec::new();
        self.at += 1;
        if self.skips(b']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(level + 1)?);
            if self.skips(b',') {
                continue;
            }
            return self.skips(b']').then_some(Json::List(items));
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return String::from_utf8(bytes).ok(),
                b'\\' => {
                    let character = self.escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f => return None,
                _ => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hexadecimal()?;
                if !(0xd800..0xdc00).contains(&high) || !self.bytes[self.at..].starts_with(b"\\u") {
                    return Some(char::from_u32(high).unwrap_or('\u{fffd}'));
                }
                let before = self.at;
                self.at += 2;
                let low = self.hexadecimal()?;
                if !(0xdc00..0xe000).contains(&low) {
                    self.at = before;
                    return Some('\u{fffd}');
                }
                char::from_u32(0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff))?
            }
            _ => return None,
        })
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = std::str::from_utf8(self.bytes.get(self.at..self.at + 4)?).ok()?;
        self.at += 4;
        if digits.starts_with('+') { None } else { u32::from_str_radix(digits, 16).ok() }
    }

    fn digits(&mut self) -> Option<Json> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.run()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.run()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.run()?;
        }
        let digits = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
        Some(Json::Number(digits.to_string()))
    }

    /// One digit or more.
    fn run(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.bytes[self.at..].starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    fn skips(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}
