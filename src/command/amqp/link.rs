//! The consumer of `amqp consume`, over whichever AMQP the server speaks, and what it tells the server of messages.

use crate::amqp::consumer::Subscription;
use crate::amqp::v1;
use crate::amqp::v091::{self, Incoming, LARGEST_BODY};
use crate::amqp::wish::Settlement;
use crate::error::{Error, Kind, Result};
use crate::stop::DRAIN;

/// What happens to a message that was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settle {
    /// It is acknowledged once it was written out (`--ack ack`, the default).
    #[default]
    Ack,
    /// It is acknowledged as soon as it comes: at most once (`--ack auto`).
    Auto,
    /// It is given back with basic.nack, to be dropped or dead-lettered (`--ack nack`); over 1.0 it is modified, as failed
    /// and undeliverable here, or rejected where RabbitMQ's plugin would give it back.
    Nack,
    /// It is given back with basic.reject, to be dropped or dead-lettered (`--ack reject`); over 1.0 it is rejected.
    Reject,
    /// It is given back to the queue at once, and may come again (`--ack requeue`); over 1.0 it is released.
    Requeue,
    /// It is held until the end and then given back to the queue (`--ack peek`).
    Peek,
}

impl Settle {
    pub(crate) const fn settlement(self) -> Settlement {
        match self {
            Self::Ack | Self::Auto => Settlement::Accepted,
            Self::Nack => Settlement::Failed,
            Self::Reject => Settlement::Rejected,
            Self::Requeue => Settlement::Released,
            Self::Peek => Settlement::Held,
        }
    }
}

/// The words for a message whose body is larger than any that is taken.
pub(crate) fn too_large(tag: u64, size: u64) -> String {
    format!(
        "message {tag} declares a body of {size} bytes, which is too large to be taken; it stays in its queue"
    )
}

/// Why a message has no outcome that [`too_large`] told of.
pub(crate) fn refused_as_too_large() -> Error {
    let limit = LARGEST_BODY / (1024 * 1024);
    Error::new(Kind::Refused, format!("the body exceeds {limit} MiB"))
}

/// A connection that consumes.
pub(crate) enum Link {
    /// Over AMQP 0-9-1.
    V091(Box<v091::Connection>),
    /// Over AMQP 1.0.
    V10(Box<v1::Consumer>),
}

impl Link {
    /// Waits until something came, or something was written. Cancel-safe.
    pub(crate) async fn drive(&mut self) -> Result<()> {
        match self {
            Self::V091(connection) => connection.drive().await,
            Self::V10(consumer) => consumer.drive().await,
        }
    }

    /// Reads nothing, and keeps the connection alive. Cancel-safe.
    pub(crate) async fn hold(&mut self) -> Error {
        match self {
            Self::V091(connection) => match connection.hold().await {},
            // Its thread does that; it reads no more than was let in.
            Self::V10(_) => std::future::pending().await,
        }
    }

    /// Hands over what came, for as long as `sink` wants more.
    pub(crate) fn take(&mut self, mut sink: impl FnMut(Incoming) -> Result<bool>) -> Result<()> {
        match self {
            Self::V091(connection) => connection.take(sink),
            Self::V10(consumer) => {
                while let Some(delivery) = consumer.poll_now() {
                    if !sink(Incoming::Delivery(delivery))? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether trying again would break it again.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::V091(connection) => connection.is_broken(),
            Self::V10(consumer) => consumer.is_broken(),
        }
    }

    /// Tells the server what became of the messages with these tags, which are in order; `all`: none before the last
    /// is to stay unsettled.
    pub(crate) fn settle(&mut self, tags: Vec<u64>, how: Settlement, all: bool) {
        match self {
            Self::V10(consumer) => consumer.settle(tags, how),
            Self::V091(connection) if all => connection.settle_all(&tags, how),
            Self::V091(connection) => {
                for tag in tags {
                    connection.settle(tag, false, how);
                }
            }
        }
    }

    /// Lets the server send as many more as are held back; `false`: not yet.
    pub(crate) fn widen(&mut self, subscription: &Subscription, held: u16) -> bool {
        match self {
            Self::V091(connection) => connection.consume_anew(subscription),
            Self::V10(consumer) => {
                consumer.widen(held);
                true
            }
        }
    }

    /// Ends in good order: what is not acknowledged goes back to the queue.
    ///
    /// # Errors
    /// The server may not have got the last acknowledgements.
    pub(crate) async fn end(self) -> Result<()> {
        match self {
            Self::V091(connection) => return connection.close_within(DRAIN).await,
            Self::V10(consumer) if consumer.is_broken() => {}
            Self::V10(consumer) => consumer.close().await,
        }
        Ok(())
    }
}
