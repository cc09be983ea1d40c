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
mod suspected;
pub mod topology;

use crate::command::Running;

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
    pub fn run(self) -> Running {
        match self {
            Self::Publish(plan) => Box::pin(publish::run(*plan)),
            Self::Consume(plan) => Box::pin(consume::run(*plan)),
            Self::Get(plan) => Box::pin(get::run(*plan)),
            Self::Request(plan) => Box::pin(request::run(*plan)),
            Self::Respond(plan) => Box::pin(respond::run(*plan)),
            Self::Topology(plan) => Box::pin(topology::run(*plan)),
            Self::Ping(plan) => Box::pin(ping::run(*plan)),
            Self::Apply(plan) => Box::pin(apply::run(*plan)),
            Self::Broker(plan) => Box::pin(broker::run(*plan)),
        }
    }
}
