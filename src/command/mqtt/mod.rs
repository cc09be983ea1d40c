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
pub(crate) mod session;
pub(crate) mod source;
pub(crate) mod subscribe;
pub(crate) mod sys;
pub(crate) mod topics;
mod trace;
pub(crate) mod unaware;

use crate::error::Result;

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
    pub async fn run(self) -> Result<()> {
        match self {
            Self::Publish(plan) => publish::run(*plan).await,
            Self::Subscribe(plan) => subscribe::run(*plan).await,
            Self::Request(plan) => request::run(*plan).await,
            Self::Respond(plan) => respond::run(*plan).await,
            Self::Ping(plan) => ping::run(*plan).await,
            Self::Probe(plan) => probe::run(*plan).await,
            Self::Clear(plan) => clear::run(*plan).await,
            Self::Sys(plan) => sys::run(*plan).await,
            Self::Broker(plan) => broker::run(*plan).await,
        }
    }
}
