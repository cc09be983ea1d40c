//! Messages to publish, what becomes of them, and how a returned one is known again.

use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;

use crate::message::{AmqpProperties, AmqpValue};
use crate::random::unguessable;

/// Bytes under way at once, beside the window: one larger message is let through alone.
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The header that marks a mandatory message whose message id the user has chosen.
pub const MARK: &str = "x-iotctl-mark";

/// A message to publish.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outgoing {
    /// Empty: the default exchange.
    pub exchange: ByteString,
    /// The routing key.
    pub key: ByteString,
    /// Its basic properties, which many messages may share.
    pub properties: Arc<AmqpProperties>,
    /// Its body.
    pub payload: Bytes,
    /// What is to be known when no queue gets it.
    pub returns: Returns,
}

/// What is to be known of messages that no queue gets. Only a mandatory message is returned (AMQP 0-9-1 §1.8.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    #[default]
    Ignored,
    /// How many they are; the message goes out as it is.
    Counted,
    /// Which they are: each message has a mark to be known by.
    Told,
}

/// What became of a message, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server has it: stored or routed, or returned before.
    Confirmed,
    /// The server could not take it.
    Nacked,
    /// The same over AMQP 1.0, where it says why.
    Refused(String),
    /// No queue got it; a confirmation comes besides.
    Returned {
        /// `312 NO_ROUTE`, in the server's words.
        words: String,
        /// Where it was to go.
        exchange: String,
        /// By which routing key.
        key: String,
    },
    /// No queue got it, and its returns are only counted: it is confirmed all the same. `312 NO_ROUTE`.
    Unrouted(String),
    /// Without confirmations: it was written.
    Written,
}

/// How a returned message is known again.
#[derive(Debug)]
pub(super) struct Marks {
    /// Begins every mark of this publisher; digits follow.
    ours: String,
}

impl Marks {
    pub(super) fn new() -> Self {
        let random = unguessable();
        Self {
            ours: format!("iotctl-{random:016x}-"),
        }
    }

    /// What every mark of this publisher begins with.
    pub(super) fn ours(&self) -> &str {
        &self.ours
    }

    /// What follows, always as long.
    pub(super) fn digits(number: u64) -> String {
        format!("{number:020}")
    }

    /// The properties with a message id of ours, or a header besides the user's message id.
    pub(super) fn mark(&self, number: u64, properties: &AmqpProperties) -> AmqpProperties {
        let mark = ByteString::from(format!("{}{}", self.ours, Self::digits(number)));
        let mut marked = properties.clone();
        if marked.message_id.is_none() && marked.not_text("message_id").is_none() {
            marked.message_id = Some(mark);
        } else {
            marked.headers.push((MARK.into(), AmqpValue::Text(mark)));
        }
        marked
    }

    /// The number of a message that came back with these properties, if it is one of ours.
    pub(super) fn number(&self, properties: &AmqpProperties) -> Option<u64> {
        let headers = properties.headers.iter();
        let marks = headers.filter_map(|(name, value)| match value {
            AmqpValue::Text(text) if *name == MARK => Some(text),
            _ => None,
        });
        marks
            .chain(&properties.message_id)
            .find_map(|mark| mark.strip_prefix(self.ours.as_str())?.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_in_the_message_id_or_beside_the_users() {
        let marks = Marks::new();
        let free = marks.mark(7, &AmqpProperties::default());
        assert!(
            free.message_id.unwrap().ends_with("-00000000000000000007") && free.headers.is_empty()
        );
        let chosen = AmqpProperties {
            message_id: Some("mine".into()),
            ..AmqpProperties::default()
        };
        let marked = marks.mark(8, &chosen);
        assert_eq!(marked.message_id.as_deref(), Some("mine"));
        assert_eq!(marked.headers.len(), 1);
    }
}
