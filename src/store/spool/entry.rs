//! A line of a segment: a record, and before it what the spool wants to know.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::Value;

use crate::message::Message;
use crate::output::record_line;
use crate::payload::message_of_record;

use super::Place;

/// A message of a spool.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The name of its source.
    pub(crate) source: String,
    pub(crate) message: Message,
    /// When it was put there.
    pub(crate) since: SystemTime,
    /// The place behind it.
    pub(crate) end: Place,
}

#[derive(Deserialize)]
struct Front<'a> {
    spooled_ms: u64,
    #[serde(borrow)]
    source: Cow<'a, str>,
}

/// The line of a message from the source of this name.
pub(crate) fn line(source: &str, message: &Message, now: SystemTime) -> Vec<u8> {
    let record = record_line(message);
    let rest = record.strip_prefix(b"{").unwrap_or_default();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let front = format!(
        "{{\"spooled_ms\":{},\"source\":{},",
        since.as_millis(),
        Value::from(source)
    );
    let mut line = front.into_bytes();
    line.extend_from_slice(rest);
    line
}

/// The name of the source in a line; `None`: it is none of ours.
pub(super) fn source(line: &[u8]) -> Option<Cow<'_, str>> {
    let front: Front<'_> = serde_json::from_slice(line).ok()?;
    Some(front.source)
}

impl Entry {
    /// Reads a line; `None`: it is none of ours.
    pub(super) fn read(line: &[u8], end: Place) -> Option<Self> {
        let front: Front<'_> = serde_json::from_slice(line).ok()?;
        Some(Self {
            source: front.source.into_owned(),
            message: message_of_record(line)?,
            since: UNIX_EPOCH.checked_add(Duration::from_millis(front.spooled_ms))?,
            end,
        })
    }
}
