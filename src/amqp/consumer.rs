//! What to consume, and what comes.

use bytestring::ByteString;

use crate::message::{AmqpDetail, AmqpValue, Detail, Message};

use super::topology::Arguments;

/// A queue in words, which after `declare` may be one without a name of ours.
pub fn queue_words(name: &str) -> String {
    match name {
        "" => String::from("the temporary queue"),
        name => format!("the queue {name:?}"),
    }
}

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
    /// The server counts a message as done when it has sent it.
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
            // Those who make deliveries make no others.
            Detail::Plain | Detail::Mqtt(_) | Detail::Coap(_) => unreachable!(),
        }
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
