//! What rows a message makes in a table: one of its columns, or one for each of its values.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::captures::Pattern;
use super::media;
use super::pointer::Members;
use super::select::{Column, Found, Look};
use crate::message::Message;

/// The last columns where each value has a row: what it is called, and what it is.
pub(crate) const MELTED: [&str; 2] = ["metric", "value"];

/// Values that lie deeper in objects and arrays are left out.
const DEEPEST: u32 = 64;

/// The columns of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// What stands in each row.
    pub columns: Vec<Column>,
    /// A row for each value of a payload that is JSON, with its name and itself as further columns.
    pub melt: bool,
    /// What topics are matched by, for columns of what stands for wildcards.
    pub patterns: Vec<Pattern>,
}

/// What stands in one row; `None`: the message has nothing for that column.
pub(crate) type Cells<'a> = [Option<Found<'a>>];

impl Layout {
    /// These columns, one row a message.
    pub const fn of(columns: Vec<Column>) -> Self {
        Self {
            columns,
            melt: false,
            patterns: Vec::new(),
        }
    }

    /// What stands above the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let melted = MELTED.iter().copied().filter(|_| self.melt);
        self.columns.iter().map(|it| &*it.name).chain(melted)
    }

    /// Calls `row` with each row of a message; `first`: no message came before it.
    pub fn rows<'a>(&'a self, message: &'a Message, first: bool, mut row: impl FnMut(&Cells<'a>)) {
        let look = Look::at(message, first, &self.patterns);
        let find = |column: &'a Column| column.selector.find_in(&look);
        let mut cells: Vec<_> = self.columns.iter().map(find).collect();
        if !self.melt {
            return row(&cells);
        }
        let fixed = cells.len();
        for (name, value) in values(message) {
            let columns = self.columns.iter();
            let mut pointers = columns.flat_map(|it| it.selector.pointers());
            if pointers.any(|it| it[1..] == name) {
                continue;
            }
            cells.push(Some(Found::Text(name.into())));
            cells.push(Some(value));
            row(&cells);
            cells.truncate(fixed);
        }
    }
}

/// All values of a payload that is JSON, or can be had as JSON, but for `null`; each by its pointer without the first slash. One
/// that is no part of an object or array is called by the last level of the topic.
pub(crate) fn values(message: &Message) -> Vec<(String, Found<'static>)> {
    let mut found = Vec::new();
    let Some(json) = media::json_text(message, None) else {
        return found;
    };
    if let Ok(value) = serde_json::from_slice::<&RawValue>(&json) {
        let last = message.topic.rsplit('/').next().unwrap_or_default();
        let name = match value.get().starts_with(['{', '[']) {
            true => "",
            false => last,
        };
        flatten(name, value.get(), DEEPEST, &mut found);
    }
    found
}

/// Numbers stay as they are spelled. What is too deep, or no JSON, is left out.
fn flatten(name: &str, json: &str, depth: u32, into: &mut Vec<(String, Found<'static>)>) {
    let below = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name}/{key}"),
    };
    let found = match json.as_bytes().first() {
        Some(b'{' | b'[') if depth == 0 => return,
        Some(b'{') => {
            let members = Members::of(json.as_bytes());
            for (key, value) in members.into_iter().flatten() {
                let key = key.replace('~', "~0").replace('/', "~1");
                flatten(&below(&key), value.get(), depth - 1, into);
            }
            return;
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            for (at, item) in items.into_iter().enumerate() {
                flatten(&below(&at.to_string()), item.get(), depth - 1, into);
            }
            return;
        }
        Some(b'"') => match serde_json::from_str(json) {
            Ok(text) => Found::Text(Cow::Owned(text)),
            // Half a character stays as it is spelled.
            Err(_) => Found::Text(json.to_owned().into()),
        },
        Some(b't') => Found::Bool(true),
        Some(b'f') => Found::Bool(false),
        Some(b'n') | None => return,
        Some(_) => Found::Number(json.to_owned().into()),
    };
    into.push((name.to_owned(), found));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(layout: &Layout, topic: &'static str, payload: &'static str) -> Vec<String> {
        let message = Message {
            topic: topic.into(),
            payload: payload.into(),
            ..Message::default()
        };
        let mut rows = Vec::new();
        layout.rows(&message, true, |cells| {
            let cell = |it: &Option<Found<'_>>| match it {
                None => String::from("-"),
                Some(Found::Text(text) | Found::Number(text)) => text.to_string(),
                Some(Found::Bool(value)) => value.to_string(),
                Some(other) => format!("{other:?}"),
            };
            rows.push(cells.iter().map(cell).collect::<Vec<_>>().join(" "));
        });
        rows
    }

    #[test]
    fn a_message_is_a_row() {
        let layout = Layout {
            patterns: vec!["x".parse().unwrap(), "sensors/+/#".parse().unwrap()],
            ..Layout::of(Column::list("device={1},t=/t|/temp,h=/h").unwrap())
        };
        let shown = rows(&layout, "sensors/d7/x", r#"{"temp":21.50,"h":null}"#);
        assert_eq!(shown, ["d7 21.50 -"]);
        assert_eq!(rows(&layout, "other", "no JSON"), ["- - -"]);
    }

    #[test]
    fn a_value_is_a_row() {
        let layout = Layout {
            melt: true,
            patterns: vec!["sensors/{device}/#".parse().unwrap()],
            ..Layout::of(Column::list("time=/ts,{device}").unwrap())
        };
        let names: Vec<_> = layout.names().collect();
        assert_eq!(names, ["time", "device", "metric", "value"]);
        let payload = r#"{"ts":5,"t":21.5,"ok":true,"n":null,"a/b":{"x":["on"]},"e":1e5}"#;
        let expected = [
            "5 d7 t 21.5",
            "5 d7 ok true",
            "5 d7 a~1b/x/0 on",
            "5 d7 e 1e5",
        ];
        let deep = values(&Message {
            payload: "[".repeat(100_000).into(),
            ..Message::default()
        });
        assert!(deep.is_empty());
        assert_eq!(rows(&layout, "sensors/d7/all", payload), expected);
        assert_eq!(
            rows(&layout, "sensors/d7/temp", "21.50"),
            ["- d7 temp 21.50"]
        );
        assert_eq!(rows(&layout, "sensors/d7/temp", "warm"), [""; 0]);
    }
}
