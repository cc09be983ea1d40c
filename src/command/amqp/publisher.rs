//! The publisher of `amqp publish`, over whichever AMQP the server speaks.

use std::time::Instant;

use crate::amqp::publisher::{Outcome, Outgoing};
use crate::amqp::{v1, v091};
use crate::error::Result;

/// A connection that publishes.
pub(crate) enum Publisher {
    /// Over AMQP 0-9-1.
    V091(Box<v091::Connection>),
    /// Over AMQP 1.0.
    V10(Box<v1::Publisher>),
}

impl Publisher {
    /// Whether the window has room for one more.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::V091(v091) => v091.has_room(),
            Self::V10(one) => one.has_room(),
        }
    }

    /// How many messages are under way.
    pub(crate) fn unconfirmed(&self) -> usize {
        match self {
            Self::V091(v091) => v091.unconfirmed(),
            Self::V10(one) => one.unconfirmed(),
        }
    }

    /// Why the server takes nothing at the moment, if it said so, which over 1.0 it does by giving no credit.
    pub(crate) fn blocked(&self) -> Option<&str> {
        match self {
            Self::V091(v091) => v091.blocked(),
            Self::V10(_) => None,
        }
    }

    /// Since when the server wants no more messages for the moment, if it said so.
    pub(crate) fn paused(&self) -> Option<Instant> {
        match self {
            Self::V091(v091) => v091.paused(),
            Self::V10(_) => None,
        }
    }

    /// Whether trying again would break it again.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::V091(v091) => v091.is_broken(),
            Self::V10(one) => one.is_broken(),
        }
    }

    /// Hands a message over under a number.
    pub(crate) fn publish(&mut self, number: u64, message: Outgoing) -> Result<()> {
        match self {
            Self::V091(v091) => v091.publish(number, message),
            Self::V10(one) => one.publish(number, message),
        }
    }

    /// Waits until something is known. Cancel-safe.
    pub(crate) async fn fates(&mut self, into: &mut Vec<(u64, Outcome)>) -> Result<()> {
        match self {
            Self::V091(v091) => v091.fates(into).await,
            Self::V10(one) => one.fates(into).await,
        }
    }

    /// Makes sure that the server has read all that was written.
    pub(crate) async fn proof(&mut self) -> Result<()> {
        match self {
            Self::V091(v091) => v091.proof().await,
            Self::V10(one) => one.proof().await,
        }
    }

    /// What is not known to have arrived, in order.
    pub(crate) fn abandoned(self) -> Vec<(u64, Outgoing)> {
        match self {
            Self::V091(v091) => v091.abandoned(),
            Self::V10(one) => one.abandoned(),
        }
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        match self {
            Self::V091(v091) => v091.close().await,
            Self::V10(one) => one.close().await,
        }
    }
}
