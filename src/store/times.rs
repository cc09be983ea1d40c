//! When a message was, where it says that itself.

use crate::message::Message;
use crate::payload::instant;
use crate::payload::select::{Found, Selector};

/// What of a message says when it was, if anything does; otherwise it is when it was received.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// What to look for.
    pub selector: Option<Selector>,
    /// How many messages did not say.
    missing: u64,
}

impl Times {
    /// Looks for this.
    pub const fn of(selector: Option<Selector>) -> Self {
        Self {
            selector,
            missing: 0,
        }
    }

    /// Sets the time of a message.
    pub fn set(&mut self, message: &mut Message) {
        let Some(selector) = &self.selector else {
            return;
        };
        let time = match selector.find(message, true) {
            Some(Found::Time(time)) => Some(time),
            Some(Found::Number(text) | Found::Text(text)) => instant::read(&text),
            Some(Found::Instead(text)) => instant::read(text),
            Some(Found::Bytes(bytes)) => str::from_utf8(bytes).ok().and_then(instant::read),
            Some(Found::Bool(_) | Found::Delta) | None => None,
        };
        match time {
            Some(time) => message.time = time,
            None => self.missing += 1,
        }
    }

    /// What is missing, for a report.
    pub fn missing(&self) -> Option<(String, u64)> {
        (self.missing > 0).then(|| (String::from("a time"), self.missing))
    }
}
