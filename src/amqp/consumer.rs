//! Deliveries as records.

use std::sync::Arc;
use std::time::SystemTime;

use bytestring::ByteString;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicCancelOptions, BasicConsumeOptions};

use crate::error::{Error, Kind, Result};
use crate::message::{AmqpDetail, AmqpValue, Detail, Message};

use super::channel::Channel;
use super::client::Link;
use super::diagnose;
use super::topology::Arguments;
use super::wire::{from_properties, short, table};

/// Where in a stream to begin (`x-stream-offset`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offset {
    /// With the oldest message.
    First,
    /// With the newest chunk of messages.
    Last,
    /// With what comes from now on.
    Next,
    /// With this one, counted from 0.
    At(i64),
    /// With what came at this time, in seconds since 1970.
    Since(u64),
    /// With what came so long ago: `1h`, `7D` as RabbitMQ reads it.
    Ago(ByteString),
}

impl std::str::FromStr for Offset {
    type Err = String;

    /// Reads `first`, `last`, `next`, a number, `@SECONDS`, or an interval such as `1h`.
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "{text:?} is not first, last, next, a number, @SECONDS or an interval such as 1h"
            )
        };
        Ok(match text {
            "first" => Self::First,
            "last" => Self::Last,
            "next" => Self::Next,
            _ => match (text.strip_prefix('@'), text.parse::<u32>()) {
                (Some(seconds), _) => Self::Since(seconds.parse().map_err(|_| unknown())?),
                (None, Ok(number)) => Self::At(number.into()),
                (None, Err(_)) => {
                    let digits = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
                    let unit = text.ends_with(['Y', 'M', 'D', 'h', 'm', 's']);
                    if !unit || digits.parse::<u32>().is_err() {
                        return Err(unknown());
                    }
                    Self::Ago(text.into())
                }
            },
        })
    }
}

impl Offset {
    /// The value of the consumer argument.
    pub fn value(&self) -> AmqpValue {
        match self {
            Self::First => AmqpValue::Text("first".into()),
            Self::Last => AmqpValue::Text("last".into()),
            Self::Next => AmqpValue::Text("next".into()),
            Self::At(number) => AmqpValue::Int(*number),
            Self::Since(seconds) => AmqpValue::Timestamp(*seconds),
            Self::Ago(interval) => AmqpValue::Text(interval.clone()),
        }
    }

    /// The consumer argument.
    pub fn argument(&self) -> (ByteString, AmqpValue) {
        ("x-stream-offset".into(), self.value())
    }
}

/// What to consume, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscription {
    /// Empty: the queue declared last on the channel.
    pub queue: ByteString,
    /// Empty: the server makes one up.
    pub tag: ByteString,
    /// Nobody else may consume from the queue.
    pub exclusive: bool,
    /// The server counts a message as done when it has sent it. Only for `amq.rabbitmq.reply-to`: lapin would
    /// gather messages without bound.
    pub no_ack: bool,
    /// Higher ones are served first (`x-priority`).
    pub priority: Option<i32>,
    /// For streams.
    pub offset: Option<Offset>,
    /// Whatever else the server knows.
    pub arguments: Arguments,
}

/// A message and what it is acknowledged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What came.
    pub message: Message,
    /// Of this channel.
    pub tag: u64,
}

impl Delivery {
    /// Its AMQP details.
    pub fn detail(&self) -> &AmqpDetail {
        match &self.message.detail {
            Detail::Amqp(detail) => detail,
            // `received` makes no others.
            Detail::Mqtt(_) | Detail::Coap(_) => unreachable!(),
        }
    }
}

/// A running consumer. Deliveries wait in it up to the channel's prefetch count.
pub struct Consumer {
    raw: lapin::Consumer,
    link: Arc<Link>,
    queue: ByteString,
    /// How it ended, when that was seen before it was asked for.
    end: Option<End>,
}

/// The end of a consumer: cancelled, or a failure.
type End = Option<lapin::Error>;

impl Channel {
    /// Starts to consume. Set the prefetch count first.
    ///
    /// # Errors
    /// [`Kind::Refused`] when there is no such queue or somebody has it for himself.
    pub async fn consume(&self, what: &Subscription) -> Result<Consumer> {
        let mut arguments = what.arguments.clone();
        if let Some(priority) = what.priority {
            arguments.push(("x-priority".into(), AmqpValue::Int32(priority)));
        }
        if let Some(offset) = &what.offset {
            arguments.push(("x-stream-offset".into(), offset.value()));
        }
        let options = BasicConsumeOptions {
            exclusive: what.exclusive,
            no_ack: what.no_ack,
            ..BasicConsumeOptions::default()
        };
        let queue = short("queue name", &what.queue)?;
        let tag = short("consumer tag", &what.tag)?;
        let arguments = table(&arguments)?;
        let consuming = self.raw().basic_consume(queue, tag, options, arguments);
        let asked = format!("to consume from the queue {:?}", what.queue);
        let raw = self.guard(&asked, consuming).await?;
        Ok(Consumer {
            raw,
            link: Arc::clone(self.link()),
            queue: what.queue.clone(),
            end: None,
        })
    }

    /// Ends a consumer; the server sends nothing more to it.
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn cancel(&self, consumer: &Consumer) -> Result<()> {
        let tag = consumer.raw.tag();
        let cancelled = self.raw().basic_cancel(tag, BasicCancelOptions::default());
        self.guard("to end the consumer", cancelled).await
    }
}

impl Consumer {
    /// Waits for the next message. Cancel-safe.
    ///
    /// # Errors
    /// [`Kind::Lost`] with the connection; [`Kind::Refused`] when the server cancels the consumer because its
    /// queue is gone.
    pub async fn next(&mut self) -> Result<Delivery> {
        if let Some(end) = self.end.take() {
            return Err(self.ended(end).await);
        }
        tokio::select! {
            biased;
            text = self.link.watch.panicked() => Err(diagnose::panicked(&self.link.target, &text)),
            next = self.raw.next() => match next {
                Some(Ok(delivery)) => Ok(received(delivery, SystemTime::now())),
                Some(Err(cause)) => Err(self.ended(Some(cause)).await),
                None => Err(self.ended(None).await),
            },
        }
    }

    /// A message that came already, if there is one.
    pub fn poll_now(&mut self) -> Option<Delivery> {
        match self.raw.next().now_or_never()? {
            Some(Ok(delivery)) => return Some(received(delivery, SystemTime::now())),
            Some(Err(cause)) => self.end = Some(Some(cause)),
            None => self.end = Some(None),
        }
        None
    }

    async fn ended(&self, end: End) -> Error {
        let target = &self.link.target;
        match end {
            Some(cause) => self.link.explain("to go on consuming", cause).await,
            None => Error::new(
                Kind::Refused,
                format!(
                    "{target} cancelled the consumer: the queue {:?} is gone",
                    self.queue
                ),
            ),
        }
    }
}

/// The record of a delivery.
pub(super) fn received(delivery: lapin::message::Delivery, time: SystemTime) -> Delivery {
    Delivery {
        tag: delivery.delivery_tag,
        message: Message {
            time,
            topic: delivery.routing_key.as_str().into(),
            payload: delivery.data.into(),
            detail: Detail::Amqp(Box::new(AmqpDetail {
                exchange: delivery.exchange.as_str().into(),
                redelivered: delivery.redelivered,
                delivery_tag: delivery.delivery_tag,
                properties: from_properties(&delivery.properties),
            })),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_as_people_write_them() {
        for (text, meant) in [
            ("first", Offset::First),
            ("next", Offset::Next),
            ("0", Offset::At(0)),
            ("@1795208400", Offset::Since(1_795_208_400)),
            ("1h", Offset::Ago("1h".into())),
        ] {
            assert_eq!(text.parse(), Ok(meant), "{text}");
        }
        for text in ["", "-1", "h", "1x", "@", "@x", "ü"] {
            assert!(text.parse::<Offset>().is_err(), "{text}");
        }
    }
}
