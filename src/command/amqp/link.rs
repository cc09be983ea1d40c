//! The consumer of `amqp consume`, over whichever AMQP the server speaks, and what it tells the server of messages.

use crate::amqp::consumer::{Consumer, Delivery};
use crate::amqp::wish::Settlement;
use crate::amqp::{Channel, Client, v1};
use crate::error::Result;

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
    const fn settlement(self) -> Option<Settlement> {
        match self {
            Self::Ack | Self::Auto => Some(Settlement::Accepted),
            Self::Nack => Some(Settlement::Failed),
            Self::Reject => Some(Settlement::Rejected),
            Self::Requeue => Some(Settlement::Released),
            Self::Peek => None,
        }
    }
}

/// A connection that consumes.
pub(crate) enum Link {
    /// Over AMQP 0-9-1: a connection, its channel, and the consumer on it.
    V091(Client, Channel, Box<Consumer>),
    /// Over AMQP 1.0.
    V10(Box<v1::Consumer>),
}

impl Link {
    /// Waits for the next message. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Delivery> {
        match self {
            Self::V091(_, _, consumer) => consumer.next().await,
            Self::V10(one) => one.next().await,
        }
    }

    /// A message that came already, if there is one.
    pub(crate) fn poll_now(&mut self) -> Option<Delivery> {
        match self {
            Self::V091(_, _, consumer) => consumer.poll_now(),
            Self::V10(one) => one.poll_now(),
        }
    }

    /// Whether trying again would break it again.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::V091(client, ..) => client.is_broken(),
            Self::V10(one) => one.is_broken(),
        }
    }

    /// Tells the server what became of the messages with these tags, which are in order; `all` before the last that were not told of yet
    /// are among them.
    pub(crate) async fn settle(&self, tags: &[u64], how: Settle, all: bool) -> Result<()> {
        let Some(&last) = tags.last() else {
            return Ok(());
        };
        match self {
            Self::V091(_, channel, _) if all && how != Settle::Reject => {
                settle(channel, last, true, how).await
            }
            Self::V091(_, channel, _) => {
                for &tag in tags {
                    settle(channel, tag, false, how).await?;
                }
                Ok(())
            }
            Self::V10(one) => {
                if let Some(settlement) = how.settlement() {
                    one.settle(tags.to_vec(), settlement);
                }
                Ok(())
            }
        }
    }

    /// Stops the deliveries, then ends in good order: what is not acknowledged goes back to the queue.
    pub(crate) async fn end(self) {
        if self.is_broken() {
            return;
        }
        match self {
            Self::V091(client, channel, consumer) => {
                // Whatever fails here fails again with the connection; nothing of ours depends on it.
                let _ = channel.close().await;
                drop(consumer);
                client.close().await;
            }
            Self::V10(one) => one.close().await,
        }
    }
}

/// The message with this tag, and with `multiple` all before it.
async fn settle(channel: &Channel, tag: u64, multiple: bool, how: Settle) -> Result<()> {
    match how {
        Settle::Ack | Settle::Auto => channel.ack(tag, multiple).await,
        Settle::Nack => channel.nack(tag, multiple, false).await,
        Settle::Requeue => channel.nack(tag, multiple, true).await,
        Settle::Reject => channel.reject(tag, false).await,
        Settle::Peek => Ok(()),
    }
}
