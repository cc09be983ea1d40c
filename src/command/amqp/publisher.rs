//! The publisher of `amqp publish`, over whichever AMQP the server speaks.

use std::time::Instant;

use crate::amqp::publisher::{Fate, Outgoing};
use crate::amqp::{bulk, one};
use crate::error::Result;

/// A connection that publishes.
pub(crate) enum Publisher {
    /// Over AMQP 0-9-1.
    Nine(Box<bulk::Publisher>),
    /// Over AMQP 1.0.
    One(Box<one::Publisher>),
}

impl Publisher {
    /// Whether the window has room for one more.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::Nine(nine) => nine.has_room(),
            Self::One(one) => one.has_room(),
        }
    }

    /// How many messages are under way.
    pub(crate) fn unconfirmed(&self) -> usize {
        match self {
            Self::Nine(nine) => nine.unconfirmed(),
            Self::One(one) => one.unconfirmed(),
        }
    }

    /// Why the server takes nothing at the moment, if it said so, which over 1.0 it does by giving no credit.
    pub(crate) fn blocked(&self) -> Option<&str> {
        match self {
            Self::Nine(nine) => nine.blocked(),
            Self::One(_) => None,
        }
    }

    /// Since when the server wants no more messages for the moment, if it said so.
    pub(crate) fn paused(&self) -> Option<Instant> {
        match self {
            Self::Nine(nine) => nine.paused(),
            Self::One(_) => None,
        }
    }

    /// Whether trying again would break it again.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::Nine(nine) => nine.is_broken(),
            Self::One(one) => one.is_broken(),
        }
    }

    /// Hands a message over under a number.
    pub(crate) fn publish(&mut self, number: u64, message: Outgoing) -> Result<()> {
        match self {
            Self::Nine(nine) => nine.publish(number, message),
            Self::One(one) => one.publish(number, message),
        }
    }

    /// Waits until something is known. Cancel-safe.
    pub(crate) async fn fates(&mut self, into: &mut Vec<(u64, Fate)>) -> Result<()> {
        match self {
            Self::Nine(nine) => nine.fates(into).await,
            Self::One(one) => one.fates(into).await,
        }
    }

    /// Makes sure that the server has read all that was written.
    pub(crate) async fn proof(&mut self) -> Result<()> {
        match self {
            Self::Nine(nine) => nine.proof().await,
            Self::One(one) => one.proof().await,
        }
    }

    /// What is not known to have arrived, in order.
    pub(crate) fn abandoned(self) -> Vec<(u64, Outgoing)> {
        match self {
            Self::Nine(nine) => nine.abandoned(),
            Self::One(one) => one.abandoned(),
        }
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        match self {
            Self::Nine(nine) => nine.close().await,
            Self::One(one) => one.close().await,
        }
    }
}
