//! What a message looks like: one file per format behind one small trait.

mod base64;
mod hex;
mod hexdump;
mod json;
mod mosquitto;
mod raw;
mod rows;
mod template;
mod text;
mod time;

use crate::message::Message;

use super::escape::{Keep, escape};
use super::style::Tone;

pub use rows::{RowStyle, Rows};
pub use template::{Flaw, Template};

/// How messages are shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// The payload, for people and line tools.
    Text {
        /// The topic and a space stand before the payload (`-v`).
        topic: bool,
        /// A line feed follows the payload (not with `-N`).
        newline: bool,
    },
    /// The record, one JSON object a line; its schema is `schema/record.schema.json`.
    Json {
        /// Over several indented lines.
        pretty: bool,
        /// A payload that is JSON stands verbatim as `payload_json`.
        embed: bool,
        /// The time is local, with its offset from UTC.
        local: bool,
    },
    /// The payload's bytes and nothing else.
    Raw,
    /// Columns, one row a message.
    Rows(Rows),
    /// The payload in lower-case hexadecimal digits, one line a message.
    Hex {
        /// The topic and a space stand before the payload (`-v`).
        topic: bool,
    },
    /// The payload as `hexdump -C` shows it.
    Hexdump {
        /// The topic stands on a line of its own before it (`-v`).
        topic: bool,
    },
    /// The payload in padded base64, one line a message.
    Base64 {
        /// The topic and a space stand before the payload (`-v`).
        topic: bool,
    },
    /// A template in mosquitto's format language (`-F`).
    Template(Template),
    /// What mosquitto_sub prints: as text, but with `(null)` after the topic of an empty payload, which alone is nothing.
    Mosquitto {
        /// The topic and a space stand before the payload (`-v`).
        topic: bool,
        /// A line feed follows the payload (not with `-N`).
        newline: bool,
    },
    /// Each topic's newest message on a line of its own (mosquitto_sub's `--watch`).
    Lines {
        /// What the first line names.
        broker: String,
        /// How a message is shown.
        inner: Box<Self>,
    },
}

impl Format {
    /// Whether each message ends with a line feed.
    pub(super) const fn is_lines(&self) -> bool {
        match self {
            Self::Text { newline, .. } | Self::Mosquitto { newline, .. } => *newline,
            Self::Template(template) => template.newline,
            Self::Raw | Self::Lines { .. } => false,
            Self::Json { .. }
            | Self::Rows(_)
            | Self::Hex { .. }
            | Self::Hexdump { .. }
            | Self::Base64 { .. } => true,
        }
    }

    /// Records, one a line.
    pub const fn records() -> Self {
        Self::Json {
            pretty: false,
            embed: false,
            local: false,
        }
    }

    /// The renderer for this format on that surface.
    pub(super) fn renderer(self, surface: Surface) -> Box<dyn Render> {
        match self {
            Self::Text { topic, newline } => Box::new(text::Text::new(topic, newline, surface)),
            Self::Json {
                pretty,
                embed,
                local,
            } => Box::new(json::Json::new(pretty, embed, local)),
            Self::Raw => Box::new(raw::Raw::new(surface)),
            Self::Rows(rows) => Box::new(rows::Table::new(rows, surface)),
            Self::Hex { topic } => Box::new(hex::Hex::new(topic, surface)),
            Self::Hexdump { topic } => Box::new(hexdump::Hexdump::new(topic, surface)),
            Self::Base64 { topic } => Box::new(base64::Base64::new(topic, surface)),
            Self::Template(template) => Box::new(template::Filled::new(template, surface)),
            Self::Mosquitto { topic, newline } => Box::new(mosquitto::Plain {
                topic,
                newline,
                surface,
            }),
            Self::Lines { broker, inner } => {
                Box::new(mosquitto::Lines::new(&broker, inner.renderer(surface)))
            }
        }
    }
}

/// A body that is JSON with every member on a line of its own; strings and numbers keep their spelling. `None` when
/// it is no JSON, or none that every reader can take.
pub fn indented_json(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = Vec::new();
    json::indent(&json::embeddable(body)?, &mut lines);
    Some(lines)
}

/// The record of a message in one line, as `--output json` shows it, with its line feed.
pub fn record_line(message: &Message) -> Vec<u8> {
    let mut line = Vec::new();
    json::Json::new(false, false, false).render(message, &mut line);
    line
}

/// Turns messages into bytes.
pub(super) trait Render: Send {
    /// Appends `message` to `into`; never fails, whatever the message holds.
    fn render(&mut self, message: &Message, into: &mut Vec<u8>);

    /// The line that stands above all messages, with its line feed; mostly nothing.
    fn header(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Whether there is a header above what comes next already.
    fn has_begun(&mut self, _begun: bool) {}
}

/// What the bytes are shown on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Surface {
    /// A terminal: control characters are made visible.
    pub(super) terminal: bool,
    /// Topics are coloured.
    pub(super) color: bool,
}

impl Surface {
    /// Appends a piece of a line, such as a topic.
    fn word(self, word: &[u8], into: &mut Vec<u8>) {
        self.put(word, Keep::Nothing, into);
    }

    /// Appends a payload; on a terminal its line feeds and tabs stay.
    fn body(self, body: &[u8], into: &mut Vec<u8>) {
        self.put(body, Keep::Layout, into);
    }

    #[inline]
    fn put(self, bytes: &[u8], keep: Keep, into: &mut Vec<u8>) {
        if self.terminal {
            escape(bytes, keep, into);
        } else {
            into.extend_from_slice(bytes);
        }
    }

    /// Appends a topic and a space, as `-v` shows it.
    #[inline]
    fn topic(self, topic: &str, into: &mut Vec<u8>) {
        if self.color {
            let mut shown = Vec::new();
            self.word(topic.as_bytes(), &mut shown);
            let painted = Tone::Topic.paint(&String::from_utf8_lossy(&shown));
            into.extend_from_slice(painted.to_string().as_bytes());
        } else {
            self.word(topic.as_bytes(), into);
        }
        into.push(b' ');
    }
}

/// What the formats' tests share.
#[cfg(test)]
mod testing {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;

    use super::*;
    use crate::message::{Detail, MqttDetail};

    pub(super) const PIPE: Surface = Surface {
        terminal: false,
        color: false,
    };
    pub(super) const TERMINAL: Surface = Surface {
        terminal: true,
        color: false,
    };

    /// A QoS 0 message received at 2026-11-20T21:00:00.123456789Z.
    pub(super) fn message(topic: &'static str, payload: &'static [u8]) -> Message {
        Message {
            time: SystemTime::UNIX_EPOCH + Duration::new(1_795_208_400, 123_456_789),
            topic: topic.into(),
            payload: Bytes::from_static(payload),
            detail: Detail::Mqtt(MqttDetail::default()),
        }
    }

    /// What the renderer makes of one message, as text.
    pub(super) fn shown(render: &mut dyn Render, message: &Message) -> String {
        let mut into = Vec::new();
        render.render(message, &mut into);
        String::from_utf8(into).unwrap()
    }
}
