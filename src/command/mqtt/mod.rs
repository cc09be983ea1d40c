//! `mqtt`: publish, subscribe, and the embedded broker.

pub mod broker;
pub mod publish;
mod publisher;
mod record;
pub mod session;
mod source;
pub mod subscribe;

use crate::error::Result;

/// A command of `mqtt`, ready to run.
#[derive(Clone, Debug)]
pub enum Command {
    /// `mqtt pub`
    Publish(Box<publish::Plan>),
    /// `mqtt sub`
    Subscribe(Box<subscribe::Plan>),
    /// `mqtt broker`
    Broker(Box<broker::Plan>),
}

impl Command {
    /// Runs it to its end.
    ///
    /// # Errors
    /// Whatever kept it from being done in full.
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Publish(plan) => publish::run(*plan).await,
            Self::Subscribe(plan) => subscribe::run(*plan).await,
            Self::Broker(plan) => broker::run(*plan).await,
        }
    }
}
