//! Answers questions about tables in CSV without reading them to the model: selects, sorts and sums up. In Rust.

#[path = "../sdk/weft.rs"]
mod weft;

use std::cmp::Ordering;
use weft::{Call, Json};

weft::export_tool!(DESCRIPTION, handle);

const DESCRIPTION: &str = r#"[
  {
    "name": "query",
    "description": "Selects rows and columns of a table in CSV, whose first row has the names. Returns CSV.",
    "input_schema": {
      "type": "object",
      "properties": {
        "csv": { "type": "string", "description": "The table." },
        "columns": { "type": "array", "items": { "type": "string" }, "description": "Which columns; all by default." },
        "where": {
          "type": "array",
          "description": "Conditions that a row must meet, all of them.",
          "items": {
            "type": "object",
            "properties": {
              "column": { "type": "string" },
              "is": { "enum": ["=", "!=", "<", "<=", ">", ">=", "contains"], "description": "Numbers compare as numbers, anything else as text." },
              "value": { "type": ["string", "number"] }
            },
            "required": ["column", "is", "value"],
            "additionalProperties": false
          }
        },
        "sort": { "type": "string", "description": "The column to sort by." },
        "descending": { "type": "boolean", "default": false },
        "limit": { "type": "integer", "minimum": 1, "default": 100, "description": "How many rows at most." },
        "separator": { "type": "string", "minLength": 1, "maxLength": 1, "default": "," }
      },
      "required": ["csv"],
      "additionalProperties": false
    }
  },
  {
    "name": "summarize",
    "description": "Counts the rows of a table in CSV, and adds up a column of numbers: count, sum, mean, min, max. Returns CSV.",
    "input_schema": {
      "type": "object",
      "properties": {
        "csv": { "type": "string", "description": "The table." },
        "of": { "type": "string", "description": "The column of numbers; what is none is left out." },
        "by": { "type": "string", "description": "One result for each value of this column." },
        "separator": { "type": "string", "minLength": 1, "maxLength": 1, "default": "," }
      },
      "required": ["csv"],
      "additionalProperties": false
    }
  }
]"#;

fn handle(call: Call) -> Result<String, String> {
    let input = &call.input;
    let separator = input.get("separator").text().chars().next().unwrap_or(',');
    let table = Table::parse(input.get("csv").text(), separator)?;
    match call.name.as_str() {
        "query" => query(&table, input, separator),
        "summarize" => summarize(&table, input, separator),
        _ => Err("There is no such tool.".into()),
    }
}

struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// By RFC 4180. A row that is too short has empty cells at its end.
    fn parse(text: &str, separator: char) -> Result<Table, String> {
        let mut rows: Vec<Vec<String>> = vec![];
        let mut row = vec![];
        let mut cell = String::new();
        let mut quoted = false;
        let mut characters = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
                '"' if quoted => quoted = false,
                _ if quoted => cell.push(character),
                '"' if cell.is_empty() => quoted = true,
                _ if character == separator => row.push(std::mem::take(&mut cell)),
                '\r' if characters.peek() == Some(&'\n') => (),
                '\n' => {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                _ => cell.push(character),
            }
        }
        if quoted {
            return Err("A quotation mark is not closed.".into());
        }
        if !cell.is_empty() || !row.is_empty() {
            row.push(cell);
            rows.push(row);
        }
        // Empty lines are no rows.
        rows.retain(|row| row.len() > 1 || !row[0].is_empty());
        if rows.is_empty() {
            return Err("The table is empty: it needs a row with the columns' names.".into());
        }
        let names = rows.remove(0);
        for row in &mut rows {
            row.resize(names.len().max(row.len()), String::new());
        }
        Ok(Table { names, rows })
    }

    fn column(&self, name: &str) -> Result<usize, String> {
        let index = self.names.iter().position(|other| other == name);
        index.ok_or_else(|| format!("There is no column {name:?}; the columns are {}.", self.names.join(", ")))
    }
}

fn query(table: &Table, input: &Json, separator: char) -> Result<String, String> {
    let columns = match input.get("columns").items() {
        [] => (0..table.names.len()).collect(),
        names => names.iter().map(|name| table.column(name.text())).collect::<Result<Vec<_>, _>>()?,
    };
    let conditions = input.get("where").items();
    let conditions = conditions.iter().map(|one| Condition::of(table, one)).collect::<Result<Vec<_>, _>>()?;
    let mut rows: Vec<&Vec<String>> =
        table.rows.iter().filter(|row| conditions.iter().all(|one| one.holds(row))).collect();
    if !input.get("sort").is_null() {
        let column = table.column(input.get("sort").text())?;
        rows.sort_by(|a, b| compare(&a[column], &b[column]));
        if input.get("descending").is_true() {
            rows.reverse();
        }
    }
    let limit = input.get("limit").as_number().unwrap_or(100.0).max(1.0) as usize;
    let mut out = String::new();
    write_row(&mut out, columns.iter().map(|&column| table.names[column].as_str()), separator);
    for row in rows.iter().take(limit) {
        write_row(&mut out, columns.iter().map(|&column| row[column].as_str()), separator);
    }
    Ok(out)
}

struct Condition {
    column: usize,
    is: String,
    value: String,
}

impl Condition {
    fn of(table: &Table, json: &Json) -> Result<Condition, String> {
        let value = match json.get("value") {
            Json::Number(digits) => digits.clone(),
            other => other.text().to_string(),
        };
        Ok(Condition { column: table.column(json.get("column").text())?, is: json.get("is").text().into(), value })
    }

    fn holds(&self, row: &[String]) -> bool {
        let cell = &row[self.column];
        let order = compare(cell, &self.value);
        match self.is.as_str() {
            "=" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            _ => cell.to_lowercase().contains(&self.value.to_lowercase()),
        }
    }
}

/// Numbers come before anything else.
fn compare(a: &str, b: &str) -> Ordering {
    match (to_number(a), to_number(b)) {
        (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Digits with a point; "inf" and "nan" are words.
fn to_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let last = text.chars().last()?;
    if last.is_ascii_digit() || last == '.' { text.parse().ok() } else { None }
}

#[derive(Default)]
struct Sums {
    key: String,
    rows: usize,
    numbers: Vec<f64>,
}

fn summarize(table: &Table, input: &Json, separator: char) -> Result<String, String> {
    let named = |field: &str| match input.get(field) {
        Json::Null => Ok(None),
        name => table.column(name.text()).map(Some),
    };
    let (of, by) = (named("of")?, named("by")?);
    let mut rows: Vec<&Vec<String>> = table.rows.iter().collect();
    if let Some(by) = by {
        rows.sort_by(|a, b| compare(&a[by], &b[by]).then_with(|| a[by].cmp(&b[by])));
    }
    let mut groups: Vec<Sums> = vec![];
    for row in rows {
        let key = by.map_or("", |by| row[by].as_str());
        if groups.last().map(|last| last.key.as_str()) != Some(key) {
            groups.push(Sums { key: key.into(), ..Sums::default() });
        }
        let Some(group) = groups.last_mut() else { continue };
        group.rows += 1;
        group.numbers.extend(of.and_then(|of| to_number(&row[of])));
    }
    if groups.is_empty() && by.is_none() {
        groups.push(Sums::default());
    }
    let mut out = String::new();
    let mut head: Vec<&str> = by.map(|by| table.names[by].as_str()).into_iter().chain(["count"]).collect();
    if of.is_some() {
        head.extend(["numbers", "sum", "mean", "min", "max"]);
    }
    write_row(&mut out, head.into_iter(), separator);
    for group in &groups {
        let mut cells: Vec<String> = by.map(|_| group.key.clone()).into_iter().collect();
        cells.push(group.rows.to_string());
        if of.is_some() {
            cells.extend(figures(&group.numbers));
        }
        write_row(&mut out, cells.iter().map(String::as_str), separator);
    }
    Ok(out)
}

fn figures(numbers: &[f64]) -> Vec<String> {
    let count = numbers.len();
    if count == 0 {
        return vec!["0".into(), "".into(), "".into(), "".into(), "".into()];
    }
    let sum = add(numbers);
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let figures = [sum, sum / count as f64, least, most].map(shown);
    std::iter::once(count.to_string()).chain(figures).collect()
}

/// By Neumaier: what each addition loses is added at the end, so that ten times 0.1 is 1.
fn add(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for &number in numbers {
        let next = sum + number;
        lost += if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
        sum = next;
    }
    if lost.is_finite() { sum + lost } else { sum }
}

fn shown(value: f64) -> String {
    if value == 0.0 { "0".into() } else { value.to_string() }
}

fn write_row<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>, separator: char) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(separator);
        }
        let is_plain = !cell.contains([separator, '"', '\n', '\r']);
        if is_plain { out.push_str(cell) } else { out.push_str(&format!("\"{}\"", cell.replace('"', "\"\""))) }
    }
    out.push('\n');
}
