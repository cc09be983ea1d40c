//! Where AMQP 1.0 sends to and receives from: one text, whose form every server has chosen for itself.

use std::fmt::Write;

use bytestring::ByteString;

use crate::error::{Error, Result};

/// Where messages go to or come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// As the server has it, word for word (`--address`).
    Said(ByteString),
    /// A queue that is there.
    Queue(ByteString),
    /// An exchange and a routing or binding key, which may be empty.
    Exchange(ByteString, ByteString),
}

impl Address {
    /// What 0-9-1 calls an exchange and a key; the default exchange leads to the queue that the key names.
    pub fn of(exchange: &ByteString, key: &ByteString) -> Self {
        match exchange.is_empty() {
            true => Self::Queue(key.clone()),
            false => Self::Exchange(exchange.clone(), key.clone()),
        }
    }

    /// What messages that come from here, and say nothing else of their topic, have for it.
    pub fn topic(&self) -> &ByteString {
        match self {
            Self::Said(text) => text,
            Self::Queue(name) => name,
            Self::Exchange(_, key) => key,
        }
    }

    /// The text that a server of this dialect knows it by; `sending` to it or else receiving from it.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for what such a server cannot do.
    pub fn text(&self, dialect: Dialect, sending: bool) -> Result<String> {
        Ok(match (self, dialect) {
            (Self::Said(text), _) => text.to_string(),
            (Self::Queue(name), Dialect::Plain) => name.to_string(),
            // The other form, /queue/NAME, would make the queue where there is none.
            (Self::Queue(name), Dialect::RabbitMq3) => format!("/amq/queue/{}", slashless(name)),
            (Self::Queue(name), Dialect::RabbitMq4) => format!("/queues/{}", escaped(name)),
            (Self::Exchange(exchange, key), Dialect::Plain) if key.is_empty() => {
                exchange.to_string()
            }
            (Self::Exchange(exchange, key), Dialect::Plain) => format!("{exchange}/{key}"),
            (Self::Exchange(exchange, key), Dialect::RabbitMq3) => {
                format!("/exchange/{}/{}", slashless(exchange), slashless(key))
            }
            (Self::Exchange(..), Dialect::RabbitMq4) if !sending => {
                return Err(Error::usage(
                    "over AMQP 1.0 this server delivers messages from queues only",
                )
                .hint("bind a queue to the exchange and consume from it"));
            }
            (Self::Exchange(exchange, key), Dialect::RabbitMq4) => {
                let key = match key.is_empty() {
                    true => String::new(),
                    false => format!("/{}", escaped(key)),
                };
                format!("/exchanges/{}{key}", escaped(exchange))
            }
        })
    }
}

/// How a server writes its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A name is a name.
    Plain,
    /// RabbitMQ's plugin `rabbitmq_amqp1_0`, up to 3.13.
    RabbitMq3,
    /// RabbitMQ from 4.0 on, version 2 of its addresses.
    RabbitMq4,
}

impl Dialect {
    /// By what the server says of itself when it opens the connection.
    pub fn of(product: &str, version: &str) -> Self {
        let major = version.split('.').next().and_then(|text| text.parse().ok());
        match (product, major) {
            ("RabbitMQ", Some(0..=3)) => Self::RabbitMq3,
            ("RabbitMQ", _) => Self::RabbitMq4,
            _ => Self::Plain,
        }
    }
}

/// All that RabbitMQ's plugin undoes.
fn slashless(text: &str) -> String {
    text.replace('/', "%2F")
}

/// All but the unreserved characters as `%XX` (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(byte.into());
            }
            // Writing to a string cannot fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_own_form() {
        let queue = Address::of(&"".into(), &"a/b c".into());
        let exchange = Address::of(&"logs".into(), &"x.error".into());
        for (dialect, of_queue, of_exchange) in [
            (Dialect::Plain, "a/b c", "logs/x.error"),
            (
                Dialect::RabbitMq3,
                "/amq/queue/a%2Fb c",
                "/exchange/logs/x.error",
            ),
            (
                Dialect::RabbitMq4,
                "/queues/a%2Fb%20c",
                "/exchanges/logs/x.error",
            ),
        ] {
            assert_eq!(queue.text(dialect, true).unwrap(), of_queue);
            assert_eq!(exchange.text(dialect, true).unwrap(), of_exchange);
            let said = Address::Said("/topic/x y".into());
            assert_eq!(said.text(dialect, false).unwrap(), "/topic/x y");
        }
        assert!(exchange.text(Dialect::RabbitMq4, false).is_err());
    }

    #[test]
    fn the_server_says_which() {
        assert_eq!(Dialect::of("RabbitMQ", "3.10.8"), Dialect::RabbitMq3);
        assert_eq!(Dialect::of("RabbitMQ", "4.4.0"), Dialect::RabbitMq4);
        assert_eq!(
            Dialect::of("apache-activemq-artemis", "2.30.0"),
            Dialect::Plain
        );
        assert_eq!(Dialect::of("", ""), Dialect::Plain);
    }
}
