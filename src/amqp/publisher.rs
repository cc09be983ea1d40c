//! Publishes within a window and knows what became of each message.
//!
//! One publisher is the only one on its channel, and each publish is begun in order: lapin numbers a message under one lock
//! and queues its frames under another, so that two publishers at once would swap their confirmations. Every
//! confirmation is awaited by itself, as lapin's `wait_for_confirms` hides refusals. And a returned message is known by a mark
//! of our own, as lapin hands it out with some confirmation, not with its own.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use lapin::Confirmation;
use lapin::options::BasicPublishOptions;

use crate::error::Result;
use crate::message::{AmqpProperties, AmqpValue};

use super::channel::Channel;
use super::diagnose;
use super::wire::{short, to_properties};

/// Bytes under way at once, beside the window: one larger message is let through alone.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

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
    /// The server must return it when no queue gets it.
    pub mandatory: bool,
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
    /// No queue got it; a confirmation comes besides. `312 NO_ROUTE` in the server's words.
    Returned(String),
    /// Without confirmations: it was written.
    Written,
}

/// The publisher of one channel.
pub struct Publisher {
    channel: Arc<Channel>,
    confirms: bool,
    window: usize,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// What is not confirmed, to publish it again on another connection.
    kept: BTreeMap<u64, Outgoing>,
    bytes: usize,
    marks: Marks,
    fates: Vec<(u64, Outcome)>,
}

type Done = (u64, lapin::Result<Confirmation>);

impl Publisher {
    /// Takes the channel over. Without `confirms` nothing is known but that messages were written.
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn new(channel: Channel, confirms: bool, window: usize) -> Result<Self> {
        if confirms {
            channel.confirms().await?;
        }
        Ok(Self {
            channel: Arc::new(channel),
            confirms,
            window: window.max(1),
            under_way: FuturesUnordered::new(),
            kept: BTreeMap::new(),
            bytes: 0,
            marks: Marks::new(),
            fates: Vec::new(),
        })
    }

    /// The channel, for requests besides.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether the window has room for one more.
    pub fn has_room(&self) -> bool {
        self.kept.is_empty() || (self.kept.len() < self.window && self.bytes < MOST_BYTES)
    }

    /// How many messages are not confirmed yet, or not written without confirmations.
    pub fn unconfirmed(&self) -> usize {
        self.kept.len()
    }

    /// Hands a message to the connection under a number that `Outcome`s name; numbers must not repeat.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a text over 255 bytes; nothing was sent then.
    pub fn publish(&mut self, number: u64, message: Outgoing) -> Result<()> {
        let exchange = short("exchange name", &message.exchange)?;
        let key = short("routing key", &message.key)?;
        let properties = if message.mandatory {
            to_properties(&self.marks.mark(number, &message.properties))?
        } else {
            to_properties(&message.properties)?
        };
        let options = BasicPublishOptions {
            mandatory: message.mandatory,
            ..BasicPublishOptions::default()
        };
        let (raw, payload) = (self.channel.raw().clone(), message.payload.clone());
        self.bytes += payload.len();
        self.kept.insert(number, message);
        let mut publishing = async move {
            let begun = raw.basic_publish(exchange, key, options, &payload, properties);
            let done = match begun.await {
                Ok(confirm) => confirm.await,
                Err(cause) => Err(cause),
            };
            (number, done)
        }
        .boxed();
        // The first poll numbers the message and queues its frames, so it must happen here, in order.
        match (&mut publishing).now_or_never() {
            Some(done) => self.under_way.push(std::future::ready(done).boxed()),
            None => self.under_way.push(publishing),
        }
        Ok(())
    }

    /// Waits until something is known, and appends all that is; `false`: nothing is under way. Cancel-safe.
    ///
    /// # Errors
    /// What ended the channel or the connection. [`Publisher::abandoned`] tells what is in doubt then.
    pub async fn fates(&mut self, into: &mut Vec<(u64, Outcome)>) -> Result<bool> {
        if !self.fates.is_empty() {
            into.append(&mut self.fates);
            return Ok(true);
        }
        let link = Arc::clone(self.channel.link());
        let first = tokio::select! {
            biased;
            text = link.watch.panicked() => return Err(diagnose::panicked(&link.target, &text)),
            first = self.under_way.next() => first,
        };
        let Some(first) = first else { return Ok(false) };
        let mut next = Some(first);
        let mut failed = None;
        while let Some((number, done)) = next {
            match done {
                Ok(confirmation) => self.settle(number, confirmation),
                Err(cause) => {
                    failed = Some(cause);
                    break;
                }
            }
            next = self.under_way.next().now_or_never().flatten();
        }
        if let Some(cause) = failed {
            // What was settled before the failure is true.
            into.append(&mut self.fates);
            return Err(link.explain("to take messages", cause).await);
        }
        into.append(&mut self.fates);
        Ok(true)
    }

    fn settle(&mut self, number: u64, confirmation: Confirmation) {
        let fate = match &confirmation {
            Confirmation::Ack(_) => Outcome::Confirmed,
            Confirmation::Nack(_) => Outcome::Nacked,
            Confirmation::NotRequested => Outcome::Written,
        };
        if let Some(message) = self.kept.remove(&number) {
            self.bytes -= message.payload.len();
        }
        self.fates.push((number, fate));
        if let Some(returned) = confirmation.take_message() {
            let words = format!("{} {}", returned.reply_code, returned.reply_text);
            // Without our mark it cannot be; the confirmation that it came with is the best guess then.
            let number = self
                .marks
                .number(&super::wire::from_properties(&returned.delivery.properties))
                .unwrap_or(number);
            self.fates.push((number, Outcome::Returned(words)));
        }
    }

    /// Makes sure that the server has read all that was written, when nothing is confirmed.
    ///
    /// # Errors
    /// What the server had against it, a lost connection, silence.
    pub async fn proof(&self) -> Result<()> {
        if self.confirms {
            return Ok(());
        }
        // Any request that is answered: answers come in order.
        self.channel.prefetch(1).await
    }

    /// What was published and is not known to have arrived, to be published again, in order.
    pub fn abandoned(self) -> BTreeMap<u64, Outgoing> {
        self.kept
    }
}

/// How a returned message is known again.
#[derive(Debug)]
pub(super) struct Marks {
    /// Begins every mark of this publisher; digits follow.
    ours: String,
}

impl Marks {
    pub(super) fn new() -> Self {
        let random = RandomState::new().build_hasher().finish();
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
        if marked.message_id.is_none() {
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
