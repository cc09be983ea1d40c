//! `mqtt`: publish, subscribe, request, respond, remove what is retained, and the embedded broker.

pub(crate) mod broker;
pub(crate) mod clear;
pub(crate) mod mosquitto;
pub(crate) mod ping;
pub(crate) mod probe;
pub(crate) mod publish;
pub(crate) mod publisher;
mod record;
pub(crate) mod request;
pub(crate) mod respond;
mod retained;
pub(crate) mod session;
pub(crate) mod source;
pub(crate) mod subscribe;
pub(crate) mod sys;
pub(crate) mod topics;
mod trace;
pub(crate) mod unaware;
pub(crate) mod unsettled;

use crate::command::Running;

/// A command of `mqtt`, ready to run.
#[derive(Clone, Debug)]
pub enum Command {
    /// `mqtt pub`
    Publish(Box<publish::Plan>),
    /// `mqtt sub`
    Subscribe(Box<subscribe::Plan>),
    /// `mqtt request`
    Request(Box<request::Plan>),
    /// `mqtt respond`
    Respond(Box<respond::Plan>),
    /// `mqtt ping`
    Ping(Box<ping::Plan>),
    /// `mqtt probe`
    Probe(Box<probe::Plan>),
    /// `mqtt clear`
    Clear(Box<clear::Plan>),
    /// `mqtt sys`
    Sys(Box<sys::Plan>),
    /// `mqtt broker`
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
            Self::Subscribe(plan) => Box::pin(subscribe::run(*plan)),
            Self::Request(plan) => Box::pin(request::run(*plan)),
            Self::Respond(plan) => Box::pin(respond::run(*plan)),
            Self::Ping(plan) => Box::pin(ping::run(*plan)),
            Self::Probe(plan) => Box::pin(probe::run(*plan)),
            Self::Clear(plan) => Box::pin(clear::run(*plan)),
            Self::Sys(plan) => Box::pin(sys::run(*plan)),
            Self::Broker(plan) => Box::pin(broker::run(*plan)),
        }
    }
}
