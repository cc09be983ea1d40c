//! `amqp`: publish, consume, request and respond, topology, ping, and the embedded broker.

pub(crate) mod apply;
pub(crate) mod broker;
pub mod consume;
pub mod get;
mod link;
pub mod ping;
pub mod publish;
pub(crate) mod publisher;
pub mod request;
pub mod respond;
pub mod session;
pub(crate) mod source;
pub mod topology;

use crate::error::Result;

/// A command of `amqp`, ready to run.
#[derive(Clone, Debug)]
pub enum Command {
    /// `amqp publish`
    Publish(Box<publish::Plan>),
    /// `amqp consume`, `amqp tap`
    Consume(Box<consume::Plan>),
    /// `amqp get`
    Get(Box<get::Plan>),
    /// `amqp request`
    Request(Box<request::Plan>),
    /// `amqp respond`
    Respond(Box<respond::Plan>),
    /// `amqp declare`, `delete`, `bind`, `unbind`, `purge`
    Topology(Box<topology::Plan>),
    /// `amqp ping`
    Ping(Box<ping::Plan>),
    /// `amqp apply`
    Apply(Box<apply::Plan>),
    /// `amqp broker`
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
            Self::Consume(plan) => consume::run(*plan).await,
            Self::Get(plan) => get::run(*plan).await,
            Self::Request(plan) => request::run(*plan).await,
            Self::Respond(plan) => respond::run(*plan).await,
            Self::Topology(plan) => topology::run(*plan).await,
            Self::Ping(plan) => ping::run(*plan).await,
            Self::Apply(plan) => apply::run(*plan).await,
            Self::Broker(plan) => broker::run(*plan).await,
        }
    }
}
